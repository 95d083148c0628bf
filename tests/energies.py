"""Energy equation between neighbouring sections, written out anew from tables of results."""

import numpy as np
import pandas as pd

ZONES = ("left", "channel", "right")


def residuals(found, banks, *, contraction=0.1, expansion=0.3):
    """What is left of the energy equation between sections with nothing between them [m].

    ``relative`` to the energy above the lower section's own bed (level less depth); the way is
    weighted by the zones' discharges, the friction slope is that of the average conveyance (HEC-RAS
    Hydraulic Reference Manual, equations 2-1 to 2-3, 2-13).
    """
    place = ["river", "chainage_m"] + (["repeated"] if "repeated" in banks else [])
    said = banks.reindex(columns=[*place, *(f"length_{z}_m" for z in ZONES), "contraction",
                                  "expansion"])  # fmt: skip
    table = found.merge(said, on=place, how="left").reset_index(drop=True)
    made = []
    for _, reach in table.groupby(["profile", "river"], sort=False, dropna=False):
        up, down = reach.iloc[:-1], reach.iloc[1:]
        gap = np.abs(np.diff(reach["chainage_m"].to_numpy(float)))
        k_up, k_down = (
            part[[f"conveyance_{z}_m3s" for z in ZONES]].to_numpy(float) for part in (up, down)
        )
        q_up, q_down = (part["discharge_m3s"].to_numpy(float) for part in (up, down))
        shares = (q_up[:, None] * k_up / k_up.sum(axis=1)[:, None]
                  + q_down[:, None] * k_down / k_down.sum(axis=1)[:, None])  # fmt: skip
        ways = up[[f"length_{z}_m" for z in ZONES]].to_numpy(float)
        ways = np.where(np.isfinite(ways), ways, gap[:, None])
        way = (shares * ways).sum(axis=1) / shares.sum(axis=1)
        slope = ((q_up + q_down) / (k_up.sum(axis=1) + k_down.sum(axis=1))) ** 2
        head_up, head_down = (
            (part["energy_m"] - part["level_m"]).to_numpy(float) for part in (up, down)
        )
        c = np.where(
            head_down > head_up,
            up["contraction"].fillna(contraction), up["expansion"].fillna(expansion),
        )  # fmt: skip
        loss = way * slope + c * np.abs(head_up - head_down)
        off = up["energy_m"].to_numpy(float) - down["energy_m"].to_numpy(float) - loss
        plain = up["structure_id"].isna() if "structure_id" in up else np.ones(len(up), bool)
        doubts = up["doubts"].fillna("")
        plain &= ~doubts.str.contains("critical_default|unbalanced")
        specific = (down["energy_m"] - down["level_m"] + down["depth_m"]).to_numpy(float)
        made.append(pd.DataFrame({
            "off_m": off, "relative": off / specific, "of_loss": off / loss,
        }, index=up.index)[plain.to_numpy()])  # fmt: skip
    return pd.concat(made)
