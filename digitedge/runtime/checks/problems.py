"""What a check finds in a model file: a contradiction, or a part that it does not know."""


class InvalidPart(Exception):
    """The file contradicts itself, or asks for more than a digit classifier needs. It is refused."""


class UnknownPart(Exception):
    """The file has a part that the check does not know. It is tried in a child process first."""
