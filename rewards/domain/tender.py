"""Points as a means of payment: what of them comes back with what is refunded."""

from rewards.domain.netting import net_order
from rewards.domain.subjects import OrderState


def to_give_back(state: OrderState, captured: int) -> int:
    """Return how many captured points the refunds so far give back.

    The refund's own points where it names them, else in proportion to what was refunded, on the
    cumulative amount; everything once nothing is left of the order.
    Source: design §5.3 (6).
    """
    net, version = state.net, state.version
    if net is None or version is None:
        return 0
    if net.net == 0:
        return captured
    named = sum(refund.points or 0 for refund in state.refunds)
    unnamed = [refund for refund in state.refunds if refund.points is None]
    share = 0
    if unnamed and net.original:
        share = captured * net_order(version, unnamed).refunded // net.original
    return min(captured, named + share)
