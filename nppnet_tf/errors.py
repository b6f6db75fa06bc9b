"""The one exception that a user of the tools can cause."""


class UserError(Exception):
    """Says in one line what is wrong, where, what was expected and found.

    The command lines print it without a traceback and exit with status 2.

    Args:
        problem: What is wrong, a short phrase.
        where: The file, folder or flag.
        expected: What would have been right.
        found: What was there instead.
    """

    def __init__(
        self,
        problem: str,
        where: object = None,
        expected: object = None,
        found: object = None,
    ) -> None:
        parts = [problem]
        if where is not None:
            parts.append(f"where: {where}")
        if expected is not None:
            parts.append(f"expected: {expected}")
        if found is not None:
            parts.append(f"found: {found}")
        # A line break in a part would make two lines of the one.
        super().__init__(" ".join("; ".join(parts).split()))
