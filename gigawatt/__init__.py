"""Design an AI supercomputer, and account for every card in it."""
