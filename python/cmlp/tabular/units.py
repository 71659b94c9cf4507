"""Units of one quantity, so that 500 g and 2 kg in a column are compared."""

from collections.abc import Iterable, Mapping

# Each quantity: the factor of a unit to the first of them, and the unit's spellings in lower case.
QUANTITIES: tuple[dict[float, str], ...] = (
    {
        1.0: "m meter meters metre metres",
        1e-6: "µm",
        1e-3: "mm",
        1e-2: "cm",
        0.1: "dm",
        1e3: "km",
        0.0254: "in in. inch inches",
        0.3048: "ft ft. foot feet",
        0.9144: "yd yard yards",
        1609.344: "mi mile miles",
    },
    {
        1.0: "kg kgs kilo kilos kilogram kilograms",
        1e-9: "µg",
        1e-6: "mg",
        1e-3: "g gr gram grams",
        1e3: "t ton tonne tonnes",
        0.45359237: "lb lbs lb. lbs. pound pounds",
        0.45359237 / 16: "oz oz. ounce ounces",
    },
    {
        1.0: "l liter liters litre litres",
        1e-3: "ml cm3 cm³",
        1e-2: "cl",
        0.1: "dl",
        100.0: "hl",
        1e3: "m3 m³",
    },
    {
        1.0: "m2 m² sqm qm",
        1e-4: "cm2 cm²",
        1e4: "ha",
        1e6: "km2 km²",
        0.09290304: "sqft ft2 ft²",
        4046.8564224: "acre acres",
    },
    {1.0: "b", 1e3: "kb", 1e6: "mb", 1e9: "gb", 1e12: "tb", 2.0**10: "kib", 2.0**20: "mib", 2.0**30: "gib"},
    {1.0: "km/h kmh kph", 3.6: "m/s", 1.609344: "mph", 1.852: "kn knots"},
    {1.0: "w", 1e3: "kw"},
    {1.0: "wh", 1e3: "kwh"},
)
FACTORS = [
    {name: factor for factor, names in quantity.items() for name in names.split()} for quantity in QUANTITIES
]


def conversions(unit: str) -> Mapping[str, float]:
    """Factors from every unit of the same quantity to `unit`; empty where none is known.

    Examples
    --------
    >>> from cmlp.tabular.units import conversions
    >>> conversions("kg")["g"], dict(conversions("apples"))
    (0.001, {})
    """
    known = next((factors for factors in FACTORS if unit in factors), None)
    return {} if known is None else {other: factor / known[unit] for other, factor in known.items()}


def are_of_one_quantity(units: Iterable[str]) -> bool:
    """Whether all units, of which there is one at least, are one but for a plural, or can be converted."""
    first, *others = units
    known = conversions(first)
    return all(unit in known or unit.rstrip("s.") == first.rstrip("s.") for unit in others)
