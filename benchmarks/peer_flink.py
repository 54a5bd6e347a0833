"""The rules of ``workload`` in PyFlink SQL; run with the interpreter that has apache-flink.

    PYTHON benchmarks/peer_flink.py EVENTS OUT {windows|single}

One job, parallelism 1, streaming: a JSON source, tumbling windows for the days, OVER windows for
what rolls, files as sinks. ``java_cpu`` is the CPU time of the Java process from handing in the job
to its end (Linux only); ``wall`` is the run time that Flink reports for the job.
"""

import glob
import json
import os
import sys
from time import perf_counter

from pyflink.java_gateway import (
    get_gateway,
)
from pyflink.table import (
    EnvironmentSettings,
    TableEnvironment,
)

# The figures of ``workload``, which this interpreter does not import.
FIGURES = json.loads(os.environ["BENCHMARK_FIGURES"])
DAY_SUM, DAY_OTHERS = FIGURES["least"]
LARGE, NEAR_FROM, NEAR_TO = FIGURES["single"]

SOURCE = """
CREATE TABLE events (
  `time` TIMESTAMP_LTZ(3), reporter STRING, amount DECIMAL(18, 2), channel STRING,
  payer ROW<id STRING, institution STRING>, payee ROW<id STRING, institution STRING>,
  WATERMARK FOR `time` AS `time`
) WITH ('connector' = 'filesystem', 'path' = 'file://{path}', 'format' = 'json',
        'json.timestamp-format.standard' = 'ISO-8601')
"""
LEGS = """
CREATE TEMPORARY VIEW legs AS SELECT `time`, reporter, amount, channel,
  payer.institution = reporter AS outgoing,
  CASE WHEN payer.institution = reporter THEN payer.id ELSE payee.id END AS customer,
  CASE WHEN payer.institution = reporter THEN payee.id ELSE payer.id END AS other
FROM events
"""
SINK = """
CREATE TABLE {name} (reporter STRING, customer STRING, outgoing BOOLEAN, on_day STRING)
WITH ('connector' = 'filesystem', 'path' = 'file://{path}', 'format' = 'csv')
"""
DAY = """
INSERT INTO {name} SELECT reporter, customer, outgoing, CAST(window_start AS STRING)
FROM TABLE(TUMBLE(TABLE legs, DESCRIPTOR(`time`), INTERVAL '1' DAY))
WHERE amount >= {floor}
GROUP BY reporter, customer, outgoing, window_start, window_end HAVING {having}
"""
ROLLING = """
INSERT INTO {name} SELECT reporter, customer, outgoing, DATE_FORMAT(`time`, 'yyyy-MM-dd') FROM (
  SELECT reporter, customer, outgoing, `time`, {measure} OVER (
    PARTITION BY reporter, customer, outgoing ORDER BY `time`
    RANGE BETWEEN INTERVAL '{length}' DAY TO SECOND PRECEDING AND CURRENT ROW) AS measured
  FROM legs WHERE amount >= {floor}) WHERE measured >= {least}
"""
SINGLE = """
INSERT INTO {name} SELECT reporter, customer, outgoing, DATE_FORMAT(`time`, 'yyyy-MM-dd')
FROM legs WHERE {having}
"""


def below(hours: int) -> str:
    """A second less than so many hours, as an interval of SQL."""
    days, rest = divmod(hours * 3600 - 1, 86_400)
    return f"{days} {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"


def java_seconds() -> float:
    """CPU time of the Java process so far, user and system; 0 where it cannot be read."""
    process = get_gateway().jvm.java.lang.ProcessHandle.current().pid()
    try:
        with open(f"/proc/{process}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(path: str, out: str, which: str) -> None:
    """Set up, run, count."""
    began = perf_counter()
    tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    settings = tables.get_config()
    settings.set("parallelism.default", "1")
    settings.set("table.local-time-zone", "UTC")
    settings.set("pipeline.object-reuse", "true")
    tables.execute_sql(SOURCE.format(path=path))
    tables.execute_sql(LEGS)
    if which == "windows":
        # Just below the length, as the law's windows leave out their beginning and times are whole
        # seconds.
        jobs = {}
        for k, (floor, hours, days, count, total) in enumerate(FIGURES["groups"]):
            for name, sql, more in (
                ("day_sum", DAY, {"having": f"SUM(amount) >= {DAY_SUM}"}),
                ("day_others", DAY, {"having": f"COUNT(DISTINCT other) >= {DAY_OTHERS}"}),
                ("times", ROLLING, {"measure": "COUNT(*)", "length": below(hours), "least": count}),
                (
                    "total",
                    ROLLING,
                    {"measure": "SUM(amount)", "length": below(24 * days), "least": total},
                ),
            ):
                jobs[f"{name}_{k}"] = sql.format(name=f"{name}_{k}", floor=floor, **more)
    else:
        near = f"amount >= {NEAR_FROM} AND amount < {NEAR_TO}"
        jobs = {
            "cash": SINGLE.format(name="cash", having=f"channel = 'cash' AND amount >= {LARGE}"),
            "transfer": SINGLE.format(
                name="transfer", having=f"channel <> 'cash' AND amount >= {LARGE}"
            ),
            "near": SINGLE.format(name="near", having=near),
        }
    together = tables.create_statement_set()
    for name, sql in jobs.items():
        tables.execute_sql(SINK.format(name=name, path=os.path.join(out, name)))
        together.add_insert_sql(sql)
    ready = perf_counter()
    before = java_seconds()
    result = together.execute()
    result.wait()
    waited = perf_counter() - ready
    cpu = java_seconds() - before
    client = result.get_job_client()
    net = client.get_job_execution_result().result().get_net_runtime() / 1000
    alerts = 0
    for name in jobs:
        rows = []
        for part in glob.glob(os.path.join(out, name, "*")) + glob.glob(
            os.path.join(out, name, ".*inprogress*")
        ):
            with open(part) as lines:
                rows += lines.read().splitlines()
        alerts += len(set(rows)) if which == "windows" else len(rows)
    print(
        json.dumps(
            {
                "alerts": alerts,
                "java_cpu": cpu,
                "wall": net,
                "waited": waited,
                "set_up": ready - began,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:4])
