"""A machine that is known by its chip, its size and its network alone."""

from __future__ import annotations

import pytest

from gigawatt.catalog.cluster import cluster
from gigawatt.catalog.load import chip


@pytest.mark.parametrize(
    ("name", "per_node", "domain"), [("v100-sxm2-32gb", 4, 4), ("v100-sxm2-32gb", 8, 8), ("gb200", 4, 72)]
)
def test_a_scale_up_domain_ends_where_its_server_does_unless_it_is_a_rack(name, per_node, domain):
    found = cluster(chip(name), chips=144, chips_per_node=per_node, network_bytes_per_s=12.5e9)
    assert [level.chips for level in found.levels] == [domain, 144]
