"""What must hold. Folders mirror the rooms; each test reads as a sentence."""
