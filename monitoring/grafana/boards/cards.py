"""What several dashboards show of GPUs: memory against the band that runs aim at."""

from boards.queries import Scope

# Of all that is measured of a card, only what belongs to a run has a target.
ASSIGNED = "and on (instance, uuid) ({assigned} == 1)"
BAND_WORDS = (("-1", "below", "blue"), ("0", "in band", "green"), ("1", "above", "red"))


def used_by_runs(scope: Scope) -> str:
    """Return the used share of the memory of each card that a run has."""
    assigned = ASSIGNED.format(assigned=scope("train_gpu_assigned"))
    return f"({scope('gpu:memory_used:ratio')} {assigned})"


def bound(scope: Scope, name: str) -> str:
    """Return one end of the band, `low` or `high`, as the trainer is configured."""
    return scope("train_vram_target_ratio", f'bound="{name}"')


def place_in_band(scope: Scope) -> str:
    """Return -1 below the band, 0 in it, 1 above, for each card that a run has."""
    used = used_by_runs(scope)
    above = f"({used} > bool on (instance) group_left () {bound(scope, 'high')})"
    below = f"({used} < bool on (instance) group_left () {bound(scope, 'low')})"
    return f"{above} - on (instance, uuid) {below}"
