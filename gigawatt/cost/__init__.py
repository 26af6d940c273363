"""What does it cost, in dollars and in carbon?

Takes chip-seconds, prices and energy; returns dollars in named parts, what is written off, and kilograms.
"""

from gigawatt.cost.bill import Bill, Prices, carbon_kg, own_usd, rent_usd
from gigawatt.cost.write_off import written_off_usd

__all__ = ["Bill", "Prices", "carbon_kg", "own_usd", "rent_usd", "written_off_usd"]
