"""Short ways to write a family of samples."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

Sample = tuple[Sequence[str], float | int | None]


def gauge(
    name: str, text: str, labels: Sequence[str], samples: Iterable[Sample]
) -> GaugeMetricFamily:
    """Samples without a value are left out."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, number in samples:
        if number is not None:
            family.add_metric(values, float(number))
    return family


def gauges(
    labels: Sequence[str],
    things: Sequence[tuple[Sequence[str], object]],
    wanted: Sequence[tuple[str, str, str]],
) -> list[GaugeMetricFamily]:
    """
    Args:
        labels: Their names.
        things: Values of the labels, and what has the numbers.
        wanted: Name, text and attribute of each family.
    """
    return [
        gauge(name, text, labels, [(values, getattr(thing, key)) for values, thing in things])
        for name, text, key in wanted
    ]


def counter(
    name: str, text: str, labels: Sequence[str], samples: Iterable[Sample]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, number in samples:
        family.add_metric(values, float(number or 0))
    return family


def histogram(
    name: str,
    text: str,
    labels: Sequence[str],
    bounds: Sequence[float],
    samples: Iterable[tuple[Sequence[str], Sequence[float]]],
) -> HistogramMetricFamily:
    """
    Args:
        name: Of the family.
        text: What it measures.
        labels: Their names.
        bounds: Upper bounds, ascending.
        samples: Values of the labels; number, sum, and how many are not above each bound.
    """
    family = HistogramMetricFamily(name, text, labels=labels)
    for values, (number, total, *below) in samples:
        pairs = [(str(float(b)), float(n)) for b, n in zip(bounds, below, strict=True)]
        family.add_metric(values, [*pairs, ("+Inf", float(number))], float(total))
    return family
