"""What a user reads when a file is wrong."""


def is_one_sentence(error):
    """Check what the user would read."""
    assert str(error).strip()
    assert "\n" not in str(error)
