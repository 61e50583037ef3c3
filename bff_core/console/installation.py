"""Collects what a console looks at: gateways with their processes."""

import asyncio

from bff_core.console.model import GatewayInfo, Health, SilentWorker
from bff_core.console.sources import Sources

INFO = "process.info"
"""The command that returns `GatewayInfo` with one worker: the process that answers."""


async def gateways_of(sources: Sources) -> list[GatewayInfo]:
    """Return all gateways; one without a process that answers has no workers."""
    return list(await asyncio.gather(*(_gateway(sources, name) for name in sources.names)))


async def _gateway(sources: Sources, name: str) -> GatewayInfo:
    source = sources.get(name)
    answers = await sources.send_all(name, INFO)
    found = answers.decoded(GatewayInfo)
    silent = [
        SilentWorker(pid=int(one.process), since=one.since)
        for one in answers.failed
        if one.since is not None
    ]
    if not found:
        health: Health = "failed" if silent else "stopped"
        return GatewayInfo(
            name=name, url=source.url, client=source.client, health=health, silent=silent
        )
    info = found[0]
    info.name, info.url = name, source.url or info.url
    info.client = source.client or info.client
    for kind in info.credentials:
        if kind.prefix == "Bearer " and not kind.example:
            kind.command = source.token
    info.workers = [worker for one in found for worker in one.workers]
    info.health, info.silent = "degraded" if answers.failed else "ok", silent
    return info
