"""What does it cost, in dollars and in carbon?

Takes chip-seconds, prices and energy; returns dollars in named parts, and kilograms.
"""

from gigawatt.cost.bill import Bill, Prices, carbon_kg, own_usd, rent_usd

__all__ = ["Bill", "Prices", "carbon_kg", "own_usd", "rent_usd"]
