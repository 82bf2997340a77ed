"""What a capture has to raise, and what it raised: alerts as (kind, source, target, port)."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """An alert that must be there. None = whatever it says."""

    kind: str
    source: str | None = None
    target: str | None = None
    port: int | None = None

    def is_told_by(self, alert):
        return (alert["kind"] == self.kind and (self.source is None or self.source in parties(alert, "source"))
                and (self.target is None or self.target in parties(alert, "target"))
                and (self.port is None or self.port in ports(alert)))


@dataclass(frozen=True)
class Scene:
    """Made-up traffic with what it holds."""

    name: str
    make: object  # () -> frames.Traffic
    attacks: tuple = ()


def parties(alert, side):
    """Addresses of the sources or targets that an alert tells."""
    return [party["ip"] for party in alert[f"{side}s"]]


def ports(alert):
    return [party["port"] for party in alert["targets"]]


def begun(content):
    """The alerts of JSON lines that began; what was told again later and what ended is left out."""
    alerts = [json.loads(line) for line in content.splitlines()]
    return [alert for alert in alerts if alert["lifecycle"] == "started"]


def _named(addresses):
    return addresses[0] + (f" and {len(addresses) - 1} more" if len(addresses) > 1 else "") if addresses else "many"


def brief(alert):
    """One alert in a line, for who reads a failed test."""
    return (f"{alert['kind']} from {_named(parties(alert, 'source'))} to {_named(parties(alert, 'target'))}: "
            f"{alert['description']}")


def complaints(scene, alerts):
    """What is wrong with the alerts of a scene: attacks that were missed, alerts that nothing explains."""
    wrong = [f"missed: {attack}" for attack in scene.attacks
             if not any(attack.is_told_by(alert) for alert in alerts)]
    for alert in alerts:
        if any(attack.is_told_by(alert) for attack in scene.attacks):
            continue
        wrong.append(f"nothing explains: {brief(alert)}")
    return wrong
