"""`catallax clear` of a folder that holds many markets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catallax.cli.agents import Question
    from catallax.markets import Markets
    from catallax.mechanisms import Mechanism, Outcomes

__all__ = ["ClearedMany", "clear_markets"]


@dataclass(frozen=True)
class ClearedMany:
    """Many markets, cleared: what came out, sentences asked for by market, what looks odd."""

    result: Outcomes
    explanations: dict[str, dict[str, str]]
    warnings: list[str]

    def documents(self, *, explained: bool) -> Iterator[dict[str, Any]]:
        """Yield the JSON object of each market."""
        for document in self.result.to_dicts():
            if explained:
                document["explanations"] = self.explanations.get(document["market"], {})
            yield document

    def sentences(self, *, several: bool) -> Iterator[str]:
        """Yield the sentences asked for; each names its market already."""
        from catallax.report.text import one_line

        del several
        for own in self.explanations.values():
            yield from map(one_line, own.values())

    def tables(self, rule: Mechanism) -> Any:
        """Show them to people."""
        from catallax.cli.output import row_limit
        from catallax.report.outcomes.many import outcomes_tables

        told = {text: said for own in self.explanations.values() for text, said in own.items()}
        return outcomes_tables(self.result, told, summary=rule.summary, most_rows=row_limit())


def clear_markets(
    markets: Markets, rule: Mechanism, questions: list[Question], *, quiet: bool
) -> ClearedMany:
    """Clear many markets, and collect warnings about odd reports."""
    from catallax.cli.output import progress_bar
    from catallax.markets import far_outside
    from catallax.mechanisms import clear_many

    with progress_bar("clearing", quiet=quiet) as progress:
        outcomes = clear_many(markets, rule, progress=progress)
    # Amounts that cannot be added up are an error before anything is printed.
    _ = outcomes.totals, outcomes.overall
    explanations: dict[str, dict[str, str]] = {}
    for text, role, agent, name in questions:
        assert name is not None
        sentence = outcomes[name].explain(agent, role)
        explanations.setdefault(str(name), {})[text] = f"Market '{name}': {sentence}"
    everything: Any = markets
    known = markets.bids is not None and markets.asks is not None
    warnings = far_outside(everything, markets.require_reports()) if known else []
    return ClearedMany(outcomes, explanations, warnings)
