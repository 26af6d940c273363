"""Units kept by every formula, and text read and written without a slip."""
