"""A collective sale: must 80 % of the shares consent, or is there a better vote?

A developer offers to buy a block of flats from its 358 owners, all or none. In many countries the
owners of a large part of the shares can sell for all: 80 % in Singapore, for older buildings. Is
that a good rule, and at what price? The example compares it with smaller quotas and with the best
vote (the price and the rule with the largest expected gain), exactly and without simulation.

What is assumed, and invented (seed 358; amounts in million dollars):

- Shares, which weigh the votes, are whole numbers from 5 to 10, as strata titles have them.
- The flats are alike, so every owner receives the same. (In catallax a group shares one payment;
  where larger flats are paid more, read "cost" as the cost of an average share.)
- 60 % of the owners would leave for around 1.25, normal with deviation 0.12; the others are
  attached to their homes and would leave for around 1.60 (0.20). Nobody knows who is who.
- To the developer the site is worth around 530, normal with deviation 45, against expected costs
  of 358 x 1.39 = 498. A sale needs the developer's consent under every rule here.

What comes out: with 80 % of the shares the price has to suit nearly the most attached, few sales
remain, and 29 % of the possible gain. The best vote sells at 1.39 if 105 owners agree and keeps
99.8 %, but then the owners as a whole lose as often as not when they sell; asking that each side be
not worse off with probability 95 % (no sale counts as that) moves the price to 1.41 and still keeps
99.4 %.

Usage: python examples/collective_sale.py [--out collective_sale.svg]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import catallax as cx
from catallax.groups import BestVote, GroupEvaluation, GroupTrade, Vote, WeightedQuota

OWNERS = 358
OWNER = "mixture([normal(1.25, 0.12, low=0), normal(1.60, 0.20, low=0)], [0.6, 0.4])"
DEVELOPER = "normal(530, 45, low=0)"
PRICES = np.linspace(1.20, 1.75, 23)  # for each owner


def draw_shares(seed: int = 358) -> list[int]:
    """Draw the owners' shares."""
    rng = np.random.default_rng(seed)
    return rng.choice([5, 6, 7, 8, 9, 10], OWNERS, p=[0.1, 0.25, 0.3, 0.2, 0.1, 0.05]).tolist()


def consent_rules(shares: list[int]) -> dict[str, WeightedQuota]:
    """Return the rules that ask for a part of the shares, and for the developer."""
    parts = ("80%", "60%", "50%")
    return {f"{part} of the shares": WeightedQuota(None, shares, buyers=1, sellers=part)
            for part in parts}  # fmt: skip


def at_prices(trade: GroupTrade, rule: WeightedQuota) -> list[GroupEvaluation]:
    """Evaluate a rule at every price; one buyer pays for all owners."""
    return [cx.groups.evaluate(trade, Vote(OWNERS * price, rule)) for price in PRICES]


def best_of(found: list[GroupEvaluation]) -> GroupEvaluation:
    """Return what a rule brings at its best price."""
    return max(found, key=lambda one: one.gains_from_trade)


def best_price(found: list[GroupEvaluation]) -> float:
    """Return the price for each owner at which a rule brings most."""
    return float(PRICES[int(np.argmax([one.gains_from_trade for one in found]))])


def table(rows: dict[str, GroupEvaluation]) -> str:
    """Write one line for each rule."""
    lines = [f"{'rule':<34}{'each owner':>11}{'sold':>8}{'of best':>9}{'neither worse off*':>20}"]
    for name, one in rows.items():
        received = "-" if one.seller_receives is None else f"{one.seller_receives:.3f}"
        lines.append(
            f"{name:<34}{received:>11}{one.trade_probability:>8.1%}"
            f"{one.share_of_first_best or 0.0:>9.1%}{one.ir_both:>20.1%}"
        )
    return "\n".join(lines)


def one_sale(trade: GroupTrade, votes: dict[str, Vote], seed: int = 1) -> str:
    """Let the owners and the developer of one draw decide under each rule."""
    values, costs = trade.sample(seed, 1)
    reports = cx.groups.GroupReports(values[0], costs[0])
    gain = values.sum() - costs.sum()
    lines = [f"One draw: the site is worth {values.sum():.1f}, the flats {costs.sum():.1f} in all, "
             f"so a sale gains {gain:.1f}."]  # fmt: skip
    lines += [f"{name}: {vote.decide(trade, reports).reason}" for name, vote in votes.items()]
    return "\n".join(lines)


def draw(
    curves: dict[str, list[GroupEvaluation]], points: dict[str, GroupEvaluation], path: Path
) -> None:
    """Draw the share of first best, and the chance of a sale, against the price."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    colours, marks = ["#D55E00", "#E69F00", "#56B4E9"], ["o", "D"]
    panels = {"share_of_first_best": "share of first best", "trade_probability": "chance of a sale"}
    for panel, (field, label) in zip(axes, panels.items(), strict=True):
        for (name, found), colour in zip(curves.items(), colours, strict=True):
            panel.plot(PRICES, [getattr(one, field) for one in found], color=colour, label=name)
        for (name, one), mark in zip(points.items(), marks, strict=True):
            panel.plot(one.seller_receives, getattr(one, field), mark, color="#0072B2", label=name)
        panel.set(xlabel="price for each owner (million)", ylabel=label, ylim=(0, 1.05))
        panel.spines[["top", "right"]].set_visible(False)
    axes[1].legend(frameon=False, fontsize=8)
    figure.suptitle(f"Selling a block of {OWNERS} flats: who has to consent, at what price?")
    figure.savefig(path, dpi=160)
    plt.close(figure)


def main() -> None:
    """Compare the rules, print what they bring, and draw it."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--out", type=Path, help="where to save the picture (.svg or .png)")
    arguments = parser.parse_args()
    trade, rules = GroupTrade(1, OWNERS, DEVELOPER, OWNER), consent_rules(draw_shares())
    curves = {name: at_prices(trade, rule) for name, rule in rules.items()}
    rows = {f"{name}, best price": best_of(found) for name, found in curves.items()}
    rows["forced trade (nobody asked)"] = cx.groups.evaluate(trade, "forced-trade")
    best = BestVote(least_buyers=1)
    careful = BestVote(least_buyers=1, least_better_off=0.95)
    points = {
        "best vote": cx.groups.evaluate(trade, best),
        "best vote, 95 % safe": cx.groups.evaluate(trade, careful),
    }
    print(table(rows | points))
    print("* The chance that neither side as a whole is worse off; without a sale neither is.")
    strict = "80% of the shares"
    votes = {
        strict: Vote(OWNERS * best_price(curves[strict]), rules[strict]),
        "Best vote": best.choose(trade).vote,
        "95 % safe": careful.choose(trade).vote,
    }
    print(f"\n{one_sale(trade, votes)}")
    if arguments.out is not None:
        draw(curves, points, arguments.out)
        print(f"\nThe picture is in {arguments.out}.")


if __name__ == "__main__":
    main()
