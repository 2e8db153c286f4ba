"""Every product's sheet, in every form, is as it was reviewed."""

import json

import pytest

from tests.in_memory.handover.sheets import GOLDEN, PRODUCTS, forms

ANEW = "changed on purpose? run: python -m tests.in_memory.handover.sheets"


@pytest.mark.requirement("X-16", "N-04", "N-09", "N-16", "M-13", "A-02", "A-16", "D-38", "X-04")
@pytest.mark.parametrize("product", PRODUCTS)
def test_the_sheet_is_as_reviewed(product: str):
    made = dict(forms(product))
    kept = {file.name: file.read_text("utf-8") for file in GOLDEN.glob(f"{product}.*")}
    assert made == kept, ANEW


@pytest.mark.requirement("N-09")
def test_a_settings_file_is_json_without_the_secret():
    text = dict(forms("netwrix-identity-manager"))[
        "netwrix-identity-manager.appsettings.agent.json"
    ]
    settings = json.loads(text)["Connections"]["MicrosoftEntraIDExport"]
    assert set(settings) == {"ApplicationId", "TenantId", "MicrosoftGraphPathApi"}
    assert "ApplicationKey" not in text


@pytest.mark.requirement("A-08", "A-09")
def test_the_environment_has_the_real_names():
    rows = dict(forms("pandium"))["pandium.env"].splitlines()
    names = {row.partition("=")[0] for row in rows if not row.startswith("#")}
    prefix = "PAN_SEC_MICROSOFT_ENTRA_"
    members = ("TOKEN_TYPE", "EXPIRES_AT", "EXPIRES_IN", "EXT_EXPIRES_IN", "ACCESS_TOKEN")
    assert names == {prefix + member for member in (*members, "TENANT_ID")}


def test_no_golden_file_is_left_over():
    known = {name for product in PRODUCTS for name, _ in forms(product)}
    assert {file.name for file in GOLDEN.iterdir()} == known, ANEW
