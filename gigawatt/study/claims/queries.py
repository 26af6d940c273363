"""The named queries of a claim file: each asks the catalogue or the model, and says how a reader can."""

from __future__ import annotations

from gigawatt.study.claims import fact_queries, machine_queries, model_queries
from gigawatt.study.claims.query import Query

QUERIES: dict[str, type[Query]] = {
    kind.KIND: kind
    for kind in (
        machine_queries.BomQuery,
        machine_queries.CablesQuery,
        machine_queries.CardsQuery,
        fact_queries.ChipQuery,
        model_queries.EnergyQuery,
        machine_queries.HplQuery,
        model_queries.GrowthQuery,
        model_queries.LossQuery,
        fact_queries.MachineQuery,
        fact_queries.ModelQuery,
        model_queries.PackingQuery,
        fact_queries.PeakQuery,
        model_queries.PlanQuery,
        fact_queries.PowerQuery,
    )
}
