"""A leaked secret, end to end: pre-empted, replaced, proven, removed, and told."""

import pytest

from tests.end_to_end.local import FOUR, Local


@pytest.mark.requirement("X-10")
async def the_leaked_secret_is_dead_when_the_emergency_is_over(local: Local) -> None:
    name = "dvls-leaked"
    await local.onboard(name)
    before = await local.assert_onboarded(name)
    leaked, client_id = await local.secret(name), before["application"]["client_id"]
    path = f"/api/connections/{name}/rotation"
    running = await local.call("POST", path, json={})
    assert running.status_code == 202, running.text
    body = {"emergency": True, "reason": "pasted into a ticket", "disable_sign_in": True}
    answer = await local.call("POST", path, json=body)
    assert answer.status_code == 202, answer.text
    begun = answer.json()
    assert before["credential"]["key_id"] in begun["old_key_ids"]
    assert "stay valid" in begun["warning"]
    after = await local.assert_onboarded(name)
    runs = {run["id"]: run["state"] for run in after["operations"]}
    assert runs[begun["operation"]] == "succeeded"
    assert runs[running.json()["operation"]] in ("superseded", "succeeded")
    assert await local.secret(name) != leaked
    assert await local.token_roles(name, client_id) == FOUR
    await _assert_dead(local, client_id, leaked)
    timeline = (await local.get(f"/api/connections/{name}/history?limit=1000"))["entries"]
    what = [entry["what"] for entry in timeline]
    assert what.index("principal.disabled") < what.index("principal.enabled")
    assert what[::-1].index("emergency.finished") < what[::-1].index("secret.published")


async def _assert_dead(local: Local, client_id: str, secret: str) -> None:
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity.aio import ClientSecretCredential

    async with ClientSecretCredential(
        local.state["tenant_id"], client_id, secret, **local.authority()
    ) as credential:
        with pytest.raises(ClientAuthenticationError, match="7000215"):
            await credential.get_token("https://graph.microsoft.com/.default")
