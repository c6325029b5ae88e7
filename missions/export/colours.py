"""The colours of sorties, the same in every form of a plan."""

# Okabe and Ito's set, told apart by the colour-blind, without the yellow that vanishes on maps.
SORTIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#6a3d9a", "#222222")


def sortie_colour(number: int) -> str:
    """Return the #rrggbb colour of the sortie with this place in the plan, from 0."""
    return SORTIES[number % len(SORTIES)]
