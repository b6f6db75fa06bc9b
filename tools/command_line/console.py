"""Lines of output, whatever the terminal can show."""

import sys

from nppnet_tf import errors

_STDOUT = "standard output"


def say(text: object = "") -> None:
    """Writes one line to stdout, at once.

    What stdout cannot take (bytes of file names that are no text, letters that
    its encoding lacks, characters that steer a terminal) is written as escapes.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    shown = errors.escaped(str(text)).encode(encoding, "backslashreplace")
    try:
        print(shown.decode(encoding), flush=True)
    except OSError as error:
        error.filename = error.filename or _STDOUT
        raise
