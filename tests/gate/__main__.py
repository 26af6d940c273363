"""python -m tests.gate: say what moved, then write predictions.csv anew."""

from tests.gate.differences import differences, table
from tests.gate.predictions import FILE, store, stored

if __name__ == "__main__":
    old = stored() if FILE.exists() else {}
    store()
    print(table(differences(old, stored())))
