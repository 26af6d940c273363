"""What a search tries."""

from __future__ import annotations

import dataclasses

import pytest

from gigawatt.catalog.machines import find_machine
from gigawatt.catalog.models import find_model
from gigawatt.perf import Job, stack
from gigawatt.search import full_space


@pytest.mark.parametrize(("machine", "chips", "three"), [("eos", 96, False), ("superpod-gb200", 144, True)])
def test_tensor_degrees_that_would_lie_on_two_servers_are_not_tried(machine, chips, three):
    # 96 heads: of 8 chips in a domain 3 leave a group on two servers, of 72 they do not
    own = dataclasses.replace(find_machine(machine), chips=chips)
    job = Job(model=find_model("gpt3-175b"), seq_tokens=2048, batch_sequences=96)
    tried = full_space(job, own, stack=stack("modern")).tp
    assert (3 in tried) is three
    assert {1, 2, 4, 8} <= set(tried)
