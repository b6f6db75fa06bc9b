"""How long something takes, in words."""


def in_words(seconds: float) -> str:
    """Returns a duration as "42 s", "3:05 min" or "1:02:03 h"."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{left:02d} h"
    if minutes:
        return f"{minutes}:{left:02d} min"
    return f"{left} s"
