"""What breaks a rule, and the sentence that says so: lies that pay, pivots that contradict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = [
    "Deviation",
    "Finding",
    "Imbalance",
    "Interaction",
    "Pivot",
    "Reversal",
    "Side",
    "TwoPivots",
]

Side = Literal["buyer", "seller"]
Profile = tuple[float, ...]


@dataclass(frozen=True)
class Deviation:
    """A member who gains by a lie.

    Attributes
    ----------
    side, member
        Who: the side, and the position from 0.
    bids, asks
        What everybody reports if this member is truthful; the own entry is the true value.
    lie
        What the member reports instead.
    gain
        How much more the member has then.
    """

    side: Side
    member: int
    bids: Profile
    asks: Profile
    lie: float
    gain: float

    @property
    def truth(self) -> float:
        """The member's true value or cost."""
        return (self.bids if self.side == "buyer" else self.asks)[self.member]

    def story(self) -> str:
        """Say who gains how much by reporting what."""
        word, report = ("value", "bidding") if self.side == "buyer" else ("cost", "asking")
        return (
            f"{self.side} {self.member + 1} with {word} {number(self.truth)} gains "
            f"{number(self.gain)} by {report} {number(self.lie)} instead "
            f"({profile(self.bids, self.asks)})"
        )


@dataclass(frozen=True)
class Pivot:
    """A place where one member's report decides the trade.

    Attributes
    ----------
    side, member
        Who decides.
    bids, asks
        The reports of all; the own entry is the one that refuses.
    refusing, accepting
        Reports of the member without and with a trade, all others' being what they are.
    """

    side: Side
    member: int
    bids: Profile
    asks: Profile
    refusing: float
    accepting: float

    @property
    def monotone(self) -> bool:
        """Whether the better report for the trade is the one that makes it."""
        if self.side == "buyer":
            return self.refusing < self.accepting
        return self.accepting < self.refusing

    def story(self) -> str:
        """Say where the member decides."""
        others = profile(self.bids, self.asks, hidden=(self.side, self.member))
        return (
            f"{self.side} {self.member + 1} refuses at {number(self.refusing)} and accepts at "
            f"{number(self.accepting)} ({others})"
        )


@dataclass(frozen=True)
class TwoPivots:
    """Two places whose prices contradict each other, or one that goes the wrong way.

    Attributes
    ----------
    first, second
        The pivots. A shared price has to lie between the two reports of each.
    shares
        Among how many members each of the two prices divides the transfer; (1, 1) where the prices
        themselves are compared.
    """

    first: Pivot
    second: Pivot
    shares: tuple[int, int] = (1, 1)

    def story(self) -> str:
        """Say what contradicts what."""
        for pivot in (self.first, self.second):
            if not pivot.monotone:
                return f"not monotone: {pivot.story()}"
        if self.shares[0] == self.shares[1]:
            return f"no price fits both: {self.first.story()}; {self.second.story()}"
        parts = []
        for pivot, share in zip((self.first, self.second), self.shares, strict=True):
            ends = sorted((share * pivot.refusing, share * pivot.accepting))
            between = f"the transfer between {number(ends[0])} and {number(ends[1])}"
            parts.append(f"{pivot.story()}, which puts {between}")
        return f"no transfer fits both: {'; '.join(parts)}"


@dataclass(frozen=True)
class Imbalance:
    """Reports at which the buyers do not pay what the sellers receive."""

    bids: Profile
    asks: Profile
    buyers_pay: float
    sellers_receive: float

    def story(self) -> str:
        """Say what each side's sum is."""
        return (
            f"the buyers pay {number(self.buyers_pay)} in all and the sellers receive "
            f"{number(self.sellers_receive)} ({profile(self.bids, self.asks)})"
        )


@dataclass(frozen=True)
class Interaction:
    """Two members of one side whose reports do not simply add up.

    Attributes
    ----------
    side, members
        Who: the side, and two positions from 0.
    bids, asks
        The reports of all, with the lower report of each of the two.
    others
        The second report of each of the two.
    difference
        x(both) - x(first only) - x(second only) + x(neither): zero for a separable rule.
    """

    side: Side
    members: tuple[int, int]
    bids: Profile
    asks: Profile
    others: tuple[float, float]
    difference: float

    def story(self) -> str:
        """Say which mixed difference is not zero."""
        first, second = self.members
        own = self.bids if self.side == "buyer" else self.asks
        return (
            f"{self.side}s {first + 1} and {second + 1} interact: the mixed difference from "
            f"({number(own[first])}, {number(own[second])}) to ({number(self.others[0])}, "
            f"{number(self.others[1])}) is {number(self.difference)}, not 0 "
            f"({profile(self.bids, self.asks)})"
        )


@dataclass(frozen=True)
class Reversal:
    """A member whose better report makes the trade less likely.

    Attributes
    ----------
    side, member
        Who.
    bids, asks
        The reports of all; the own entry is the first of the two.
    other
        The second report, a higher bid or a lower ask.
    chances
        The probabilities of a trade with the first report and with the second.
    """

    side: Side
    member: int
    bids: Profile
    asks: Profile
    other: float
    chances: tuple[float, float]

    def story(self) -> str:
        """Say what makes the trade less likely."""
        own = (self.bids if self.side == "buyer" else self.asks)[self.member]
        word = "bid" if self.side == "buyer" else "ask"
        return (
            f"not monotone: when {self.side} {self.member + 1} changes the {word} from "
            f"{number(own)} to {number(self.other)}, the odds of a trade fall from "
            f"{number(self.chances[0])} to {number(self.chances[1])} "
            f"({profile(self.bids, self.asks)})"
        )


Witness = Deviation | Pivot | TwoPivots | Imbalance | Interaction | Reversal


@dataclass(frozen=True)
class Finding:
    """An answer with its reason.

    Attributes
    ----------
    holds
        Yes, no, or None where nothing was found against it and not everything was looked at.
    story
        One sentence.
    witness
        What breaks it.
    """

    holds: bool | None
    story: str
    witness: Witness | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        witness = None if self.witness is None else asdict(self.witness)
        return {"holds": self.holds, "story": self.story, "witness": witness}


def number(value: float) -> str:
    """Write a number in a sentence."""
    return f"{value + 0.0:.6g}"


def profile(bids: Profile, asks: Profile, hidden: tuple[Side, int] | None = None) -> str:
    """Write a profile of reports; a dot stands for the hidden one.

    Examples
    --------
    >>> profile((0.5, 0.2), (0.1,), hidden=("buyer", 1))
    'bids 0.5, ·; asks 0.1'
    """
    sides: list[tuple[Side, str, Profile]] = [("buyer", "bids", bids), ("seller", "asks", asks)]
    parts = []
    for side, word, reports in sides:
        shown = [
            "·" if hidden == (side, position) else number(report)
            for position, report in enumerate(reports)
        ]
        if len(shown) > 12:
            shown = [*shown[:10], f"... ({len(shown)} in all)"]
        parts.append(f"{word} {', '.join(shown)}")
    return "; ".join(parts)
