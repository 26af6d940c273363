"""Parameters, flop and bytes, counted a second way."""
