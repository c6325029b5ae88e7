"""What breaks a promise in this package, each error wording itself."""

from dataclasses import dataclass

from missions.errors import InputWrong, WorkFailed


@dataclass
class LinkWrong(InputWrong):
    """A connection string that names no link."""

    text: str
    why: str

    def __str__(self) -> str:
        return (
            f"connection {self.text!r}: {self.why}. Use tcp:HOST:PORT, udpin:HOST:PORT, udpout:HOST:PORT or "
            "/dev/DEVICE,BAUD; tcp://, udpin://, udpout:// and serial:// work as well"
        )


@dataclass
class LinkFailed(WorkFailed):
    """A link that could not be opened."""

    where: str
    why: str

    def __str__(self) -> str:
        return f"cannot open {self.where}: {self.why}"


@dataclass
class KeysWrong(InputWrong):
    """Signing keys that cannot be used; never shows one."""

    why: str

    def __str__(self) -> str:
        return self.why


@dataclass
class PlanRefused(InputWrong):
    """A mission that must not be sent; nothing of it has been."""

    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "the mission is not sent: " + "; ".join(self.problems)


@dataclass
class DockFailed(WorkFailed):
    """A dock that did not do what it was told."""

    dock: str
    action: str
    why: str

    def __str__(self) -> str:
        return f"dock {self.dock} did not {self.action.replace('_', ' ')}: {self.why}"


@dataclass
class PictureLost(WorkFailed):
    """A picture that could not be brought off the drone."""

    url: str
    why: str

    def __str__(self) -> str:
        return f"picture {self.url} could not be fetched: {self.why}"
