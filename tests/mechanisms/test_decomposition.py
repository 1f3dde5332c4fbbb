"""Lemma 5.3 as an identity, Theorem 5.4 pair by pair, Theorem 3.3 market by market."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

import catallax as cx
from catallax.mechanisms import MetaAuctionBuyers, MetaAuctionSellers, MultiQuantile
from catallax.mechanisms.bilateral_rules import LAMBDA
from catallax.mechanisms.certificate import CONSTANT, certificate
from catallax.mechanisms.decomposition import bilateral_profits, conditional_instances, decompose
from tests.matching.test_families import PROGRAMS, RULES
from tests.mechanisms import brute_force as brute
from tests.mechanisms.test_bic_payments import with_rules
from tests.mechanisms.test_meta_auctions import PRIORS
from tests.mechanisms.test_offering import as_market, random_market

SLACK = brute.UNIT * 1e-9
RULED = {"plain": []} | {
    name: (RULES | PROGRAMS)[name] for name in ("cap", "both", "edge conflicts")
}


def small_markets(seed: int, rounds: int, most: int, rules: str = "plain"):
    rng = np.random.default_rng([seed, list(RULED).index(rules)])
    while rounds:
        edges, priors, bids, asks = random_market(rng, 3, 4)
        count = math.prod(len(values) for side in priors for values, _ in side)
        if edges and 1 < count <= most:
            rounds -= 1
            if rules == "plain":
                yield priors, as_market(edges, priors, bids, asks)
            else:
                yield priors, with_rules(rng, RULED[rules], edges, priors, bids, asks)


def profiles(priors):
    """List all profiles with their probabilities."""
    kinds = [zip(*kind, strict=True) for side in priors for kind in side]
    for profile in product(*kinds):
        values = np.array([float(value) for value, _ in profile])
        cut = len(priors[0])
        yield math.prod(float(mass) for _, mass in profile), values[:cut], values[cut:]


@pytest.mark.parametrize("rules", RULED)
def test_the_identity_is_exact(rules: str) -> None:
    """Atoms and ties everywhere: the sum over edges is the first best, and each edge its own."""
    several = 0
    for priors, market in small_markets(1, 25 if rules == "plain" else 6, 48, rules):
        parts = decompose(market)
        assert parts.direct.exact and parts.difference.stderr == 0
        assert parts.difference.mean == pytest.approx(0.0, abs=SLACK)
        gains: dict[tuple[int, int], float] = {}
        for chance, bids, asks in profiles(priors):
            best = cx.clear(market, "first-best", cx.Reports(bids, asks))
            for i, j, gain in zip(best.buyer_index, best.seller_index, best.gains, strict=True):
                gains[i, j] = gains.get((i, j), 0.0) + chance * gain
        assert parts.direct.mean == pytest.approx(math.fsum(gains.values()), abs=SLACK)
        for i, j, gain in zip(parts.buyer, parts.seller, parts.gains, strict=True):
            assert gain == pytest.approx(gains.pop((i, j), 0.0), abs=SLACK)
        assert not any(gains.values())
        several += np.count_nonzero(parts.gains) > 1
    assert several >= (5 if rules == "plain" else 1)


def test_the_supremum_would_count_ties_twice() -> None:
    """Two sellers of cost 1 for one buyer: the cap of the second is 1, but at 1 the first wins."""
    market = cx.Market(
        [{"id": "b", "prior": "point(2)"}],
        [{"id": "s", "prior": "point(1)"}, {"id": "t", "prior": "point(1)"}],
    )
    found = conditional_instances(market, cx.Reports([2.0], [1.0, 1.0]))
    assert found.cap.tolist() == [1.0, np.nextafter(1.0, 0.0)]
    parts = decompose(market)
    assert parts.edges["gains"].to_list() == [1.0, 0.0]
    assert parts.conditional.mean == parts.direct.mean == 1.0


SMOOTH = ["uniform(0, 1)", "exponential(1)", "equal-revenue(1, 20)", "beta(0.5, 0.5)",
          "normal(1, 0.4)", "intervals([0, 1, 1.5], [1, 2, 3])", "empirical([0.2, 0.5, 0.5, 1.5])",
          {"kind": "mixture", "components": ["uniform(0, 1)", "point(0.5)"],
           "weights": [0.6, 0.4]}]  # fmt: skip


@pytest.mark.parametrize("prior", SMOOTH)
def test_the_identity_on_sampled_markets(prior) -> None:
    buyers = [{"id": k, "prior": "uniform(0, 2)" if k else prior} for k in range(3)]
    sellers = [{"id": k, "prior": prior} for k in range(3)]
    sparse = cx.Market(buyers, sellers, [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 0)])
    found = decompose(sparse, rng=4, samples=400)
    assert not found.difference.exact and found.difference.stderr > 0
    assert abs(found.difference.mean) < 4.5 * found.difference.stderr
    assert found.conditional.stderr < 2 * found.direct.stderr
    again = decompose(sparse, rng=4, samples=400)
    assert again.conditional == found.conditional
    assert math.fsum(found.gains) == pytest.approx(found.conditional.mean)


# ------------------------------------------------------------------------------------ Theorem 5.4


@pytest.mark.parametrize("prior", [*PRIORS, *SMOOTH, "point(1)"])
def test_profits_of_bilateral_instances(prior) -> None:
    """Every prior, value and cap: half of both profits is at least the gains / 3.15."""
    law = cx.make_prior(prior)
    for cap in (*law.quantile([0.05, 0.2, 0.5, 0.8, 0.99]), np.inf):
        for value in (*law.quantile([0.1, 0.3, 0.6, 0.95]), float(law.quantile(0.99)) * 1.5):
            found = bilateral_profits(law, float(value), float(cap))
            noise = 1e-9 * max(1.0, abs(value))
            assert (found.seller + found.buyer) / 2 >= found.gains / CONSTANT - noise
            assert min(found) >= -noise
            assert max(found.seller, found.buyer) <= found.gains + noise


def test_profits_against_sums_over_quantiles() -> None:
    q = (np.arange(20_000) + 0.5) / 20_000
    for prior in PRIORS:
        law = cx.make_prior(prior)
        cost, price = law.quantile(q), law.quantile(np.minimum(q / LAMBDA, 1.0))
        for end in law.quantile([0.3, 0.7, 0.95]):
            found = bilateral_profits(law, float(end) * 1.1, float(end))
            scale = max(1.0, float(end))
            gains = np.where(cost <= end, 1.1 * end - cost, 0.0).mean()
            assert found.gains == pytest.approx(gains, abs=2e-3 * scale)
            stands = (price <= end) & (q <= LAMBDA)
            assert found.seller == pytest.approx(
                np.where(stands, price - cost, 0.0).mean(), abs=2e-3 * scale
            )


def test_random_atoms_and_the_papers_formula() -> None:
    """With atoms F(c) / lambda falls short of the theorem; the average over an atom does not."""
    rng = np.random.default_rng(9)
    for _ in range(400):
        n = int(rng.integers(1, 7))
        values = np.sort(rng.choice(20, n, replace=False)).astype(float)
        law = cx.make_prior(
            {"kind": "discrete", "values": values, "probabilities": rng.dirichlet(np.ones(n))}
        )
        found = bilateral_profits(law, float(rng.integers(0, 25)), float(rng.integers(0, 25)))
        assert (found.seller + found.buyer) / 2 >= found.gains / CONSTANT - 1e-12
    law = cx.parse_prior("discrete([0, 2, 4], [0.3, 0.6, 0.1])")
    found = bilateral_profits(law, 3.0)
    assert (found.buyer, found.gains) == pytest.approx((0.9, 1.5))
    posted = MultiQuantile().price(law, np.full(3, np.inf), np.array([0.0, 2.0, 4.0]))
    assert posted.tolist() == [4.0, 4.0, 4.0]  # a buyer of value 3 never trades
    assert (0 + found.buyer) / 2 < found.gains / CONSTANT < (found.seller + found.buyer) / 2
    # The rule itself averages to the closed form as its position runs through the atom.
    prices = np.array([
        MultiQuantile(position=p).price(law, np.full(3, np.inf), np.array([0.0, 2.0, 4.0]))
        for p in (np.arange(2000) + 0.5) / 2000
    ])  # fmt: skip
    profit = np.where(prices <= 3.0, prices - np.array([0.0, 2.0, 4.0]), 0.0).mean(axis=0)
    assert float(profit @ law.atoms[1]) == pytest.approx(found.seller, abs=2e-3)


def test_meta_auctions_bring_what_their_pairs_bring() -> None:
    """Lemmas 4.7 and 4.13 in expectation, on discrete markets: pairs alone are a lower bound."""
    for priors, market in small_markets(2, 12, 48):
        total = np.zeros(3)
        for chance, bids, asks in profiles(priors):
            reports = cx.Reports(bids, asks)
            run = cx.clear(market, MetaAuctionBuyers(), reports)
            total[0] += chance * (bids[run.buyer_index] - run.buyer_pays).sum()
            for p in (0.125, 0.375, 0.625, 0.875):
                rule = MetaAuctionSellers(MultiQuantile(position=p))
                run = cx.clear(market, rule, reports)
                total[1] += chance / 4 * (run.seller_receives - asks[run.seller_index]).sum()
            found = conditional_instances(market, reports)
            for i, j, cap in zip(found.buyer, found.seller, found.cap, strict=True):
                prior = market.sellers.prior(j)
                assert prior is not None
                total[2] += chance * bilateral_profits(prior, bids[i], cap).buyer
        assert total[0] == pytest.approx(total[2], abs=SLACK)
        found = certificate(market)
        # The two sides' own best auctions bring at least as much.
        assert found.buyers_profit.mean >= total[0] - SLACK
        assert found.sellers_profit.mean >= total[1] - SLACK


# ------------------------------------------------------------------------------------ Theorem 3.3


@pytest.mark.parametrize("rules", RULED)
def test_certificates_of_discrete_markets(rules: str) -> None:
    for priors, market in small_markets(3, 20 if rules == "plain" else 4, 40, rules):
        found = certificate(market)
        assert found.margin.exact and found.verdict == "holds"
        objective = np.zeros(3)
        for chance, bids, asks in profiles(priors):
            for k, slug in enumerate(("gsom", "gbom", "first-best")):
                outcome = cx.clear(market, slug, cx.Reports(bids, asks))
                objective[k] += chance * outcome.totals["objective"]
        # Lemma A.4: expected profits are expected virtual surpluses.
        profits = (found.sellers_profit.mean, found.buyers_profit.mean, found.first_best.mean)
        slack = SLACK + 1e-6 * (rules != "plain")
        assert profits == pytest.approx(tuple(objective), abs=slack)
        if found.first_best.mean > 0:
            half = (profits[0] + profits[1]) / 2
            assert found.share.mean == pytest.approx(half / profits[2])


def test_certificate_of_bilateral_trade() -> None:
    """Uniform: each side can expect 1/12 of the first best 1/6, and agents' utilities are all."""
    found = certificate(cx.instances.get("bilateral-uniform"), rng=1, samples=4000)
    for estimate, truth in (
        (found.sellers_profit, 1 / 12),
        (found.buyers_profit, 1 / 12),
        (found.first_best, 1 / 6),
        (found.share, 1 / 2),
        (found.agents_share, 3 / 4),
    ):
        assert not estimate.exact
        assert abs(estimate.mean - truth) < 4 * estimate.stderr
        low, high = estimate.interval()
        assert low < estimate.mean < high
    assert found.verdict == "holds"
    with pytest.raises(cx.CatallaxError, match="at least two"):
        certificate(cx.instances.get("bilateral-uniform"), samples=1)


def test_agents_own_utilities_are_another_matter() -> None:
    """Remark 1.3 in the thick market of the docstring: profits are much, utilities little."""
    sides = [
        [{"id": k, "prior": prior} for k in range(40)]
        for prior in ("beta(1, 0.125)", "beta(0.125, 1)")
    ]
    found = certificate(cx.Market(*sides), rng=1, samples=60)
    assert found.verdict == "holds" and found.share.mean > 0.7
    assert found.agents_share.interval(0.999)[1] < 1 / CONSTANT


def test_nothing_to_gain() -> None:
    market = cx.Market([{"id": "b", "prior": "point(1)"}], [{"id": "s", "prior": "point(2)"}])
    found = certificate(market)
    assert (found.first_best.mean, found.share.mean, found.verdict) == (0.0, 1.0, "holds")
    parts = decompose(cx.Market([], [{"id": "s", "prior": "point(2)"}]))
    assert parts.conditional.mean == 0.0 and len(parts.edges) == 0
