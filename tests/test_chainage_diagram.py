"""Time against chainage: what is drawn where is what the tables say."""

import re

import numpy as np
import pandas as pd
import pytest
from campaigns import campaign
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

import pinghu_geo as pg
from pinghu_geo.deliver.chainages import write_sheets_of_plots

DAY = pd.Timedelta(days=1)


def drawn(c, river="甲河", **given):
    return pg.plot_time_chainage(
        c["plan"], river, state=c["state"], faces=c["faces"].stretches, handover=c["handover"],
        segments=c["segments"], **given,
    )  # fmt: skip


@pytest.fixture(scope="module")
def small():
    return campaign(20)


def boxes(axes):
    """Filled boxes as left, right [m], first day, day after the last, colour, hatch."""
    return [
        (b.get_x(), b.get_x() + b.get_width(), pd.Timestamp(0) + round(b.get_y()) * DAY,
         pd.Timestamp(0) + round(b.get_y() + b.get_height()) * DAY, to_hex(b.get_facecolor()),
         b.get_hatch())
        for b in axes.patches if b.get_fill()
    ]  # fmt: skip


def test_left_bank_above_right_below_time_down(small):
    left, right = drawn(small).axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("左岸", "右岸")
    assert left.yaxis_inverted()
    assert right.yaxis_inverted()


def test_each_planned_stage_stands_at_its_node_and_days(small):
    plan = small["plan"]
    for axes, bank in zip(drawn(small).axes, ("left", "right"), strict=True):
        nodes = plan.nodes[(plan.nodes["river"] == "甲河") & (plan.nodes["bank"] == bank)]
        found = boxes(axes)
        for row in plan.activities[plan.activities["node_id"].isin(nodes.index)].itertuples():
            at = nodes.loc[row.node_id]
            fits = [b for b in found if b[2:4] == (row.start, row.finish + DAY)
                    and b[0] <= at["from_m"] + 1e-9 and b[1] < at["to_m"]]  # fmt: skip
            assert fits, (row.node_id, row.stage)


def test_what_is_reported_ends_on_its_last_day_in_the_dark_colour(small):
    stages, rows = small["stages"], small["state"].stages
    left = drawn(small).axes[0]
    nodes = small["plan"].nodes
    mine = nodes.index[(nodes["river"] == "甲河") & (nodes["bank"] == "left")]
    rows = rows[rows["node_id"].isin(mine) & (rows["done_ratio"] == 1)]
    dark = rows[rows["stage"].map(stages["shown_as"]) == "signed"]
    assert len(dark)
    for row in dark.itertuples():
        ends = [b[3] for b in boxes(left) if b[4] == "#b9dcf7"]
        assert row.last in ends or row.last + DAY in ends


def test_a_stage_that_is_not_over_is_hatched_to_today():
    c = campaign(4, as_of="2018-03-01")
    log = pd.DataFrame({"building_id": ["H0000-0"], "stage": "survey", "date": ["2018-02-10"]})
    c["state"] = pg.progress_state(log, c["tasks"].buildings, as_of="2018-03-01")
    (box,) = [b for b in boxes(drawn(c).axes[0]) if b[5]]
    assert box[2:4] == (pd.Timestamp("2018-02-10"), pd.Timestamp("2018-03-01"))


def test_the_legend_says_what_white_is_and_lies_on_no_axes(small):
    """Waiting within a planned column was white, and no word told it."""
    figure = drawn(small)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (legend,) = figure.legends
    said = {t.get_text(): p.get_facecolor()
            for t, p in zip(legend.get_texts(), legend.get_patches(), strict=False)}  # fmt: skip
    assert next(c for t, c in said.items() if "等待" in t) == (1, 1, 1, 1)
    box = legend.get_window_extent(canvas.get_renderer())
    assert not any(box.overlaps(a.get_tightbbox(canvas.get_renderer())) for a in figure.axes)


def test_narrow_nodes_have_a_least_width_and_never_overlap():
    c = campaign(60, each=1)
    for axes in drawn(c).axes:
        spans = sorted({(b.get_x(), b.get_x() + 2 * b.get_width())
                        for b in axes.patches if not b.get_fill()})  # fmt: skip
        low, high = np.array(spans).T
        assert (high[:-1] <= low[1:] + 1e-9).all()
        assert (high - low > 10.0).all()  # wider than the nodes are long


def test_the_entry_line_is_the_contractors(small):
    left = drawn(small).axes[0]
    (line,) = [one for one in left.lines if one.get_linestyle() == "--" and len(one.get_xdata())]
    x, y = line.get_xdata(), line.get_ydata()
    k = len(x) // 2
    day = pd.Timestamp("2018-05-01") + (x[k] // 20) * DAY
    assert abs((pd.Timestamp(0) + y[k] * DAY) - day) <= DAY


def test_texts_are_texts_and_the_same_bytes_twice(small, tmp_path):
    figure = drawn(small, title="$\\frac$ 甲")
    assert figure.get_suptitle() == r"\$\frac\$ 甲"
    paths = [tmp_path / "a.pdf", tmp_path / "b.pdf"]
    for path in paths:
        write_sheets_of_plots((drawn(small, r) for r in ("甲河", "乙河")), path)
    first, second = (p.read_bytes() for p in paths)
    assert first == second
    assert len(re.findall(rb"/Type /Page\b", first)) == 2
    assert b"/Subtype /Image" not in first  # vectors


def test_a_river_without_nodes_is_refused(small):
    with pytest.raises(pg.errors.LayerError, match="丙河"):
        drawn(small, "丙河")
