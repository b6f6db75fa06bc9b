"""Roads of many commands: the demo, and five searches of which one is kept.

A road is a list of phases, each some commands of the tools or one function;
`command_line.phases` runs them and goes on where it was stopped. A command that
calls other commands has its road here; what a phase does is never here, but in
the tool that it calls. Begin with `demo_road`.
"""
