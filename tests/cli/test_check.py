"""`bff check`: code, access rules and contracts of a project, in one command for CI."""

import json
import subprocess

import pytest
from fastapi import FastAPI

from tests.cli.contract_project import DOCUMENT, changed, write_project
from tests.cli.served import served


@pytest.fixture
def project(tmp_path, monkeypatch, request):
    """Write the project, whose module has a name of its own for each test."""
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.chdir(write_project(tmp_path, f"shop_{abs(hash(request.node.name))}"))
    return tmp_path


def source_of(project):
    (file,) = project.glob("shop_*.py")
    return file


def edit(file, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def renamed(project):
    """Give the module another name, so that its next import reads the file again."""
    old = source_of(project)
    new = old.with_name(f"{old.stem}_x.py")
    old.rename(new)
    edit(project / "pyproject.toml", f'"{old.stem}:', f'"{new.stem}:')
    return new


def results(done, level: str = "error") -> list[dict]:
    return [one for one in json.loads(done.out)["results"] if one["level"] == level]


def without_title(document):
    schema = document["components"]["schemas"]["Product"]
    del schema["properties"]["title"]
    schema["required"].remove("title")


def write_live(project, change=lambda _: None):
    file = project / "live.json"
    file.write_text(json.dumps(changed(change)))
    return f"catalog={file}"


def git(project, *words: str) -> None:
    names = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *names, *words], cwd=project, check=True, capture_output=True)


def test_a_sound_project_has_no_errors(project, bff):
    """All steps report what they looked at, and the status is 0."""
    done = bff("check", "--live", write_live(project))

    assert done.status == 0
    assert "loads, with 1 service and 2 routes" in done.out
    assert "catalog.json equals" in done.out
    assert "! its OpenAPI document is not pinned" in done.out
    assert done.out.endswith("no errors, 2 warnings\n")
    assert "\x1b" not in done.out


def test_an_unknown_revision_hints_at_a_shallow_clone(project, bff):
    """CI often clones the last revision only: the message says how to get the others."""
    git(project, "init")
    done = bff("check", "--since", "nope", "--live", write_live(project))

    assert done.status == 2
    assert "fetch-depth: 0" in done.err


def test_the_hint_accepts_the_change_of_one_operation(project, bff):
    """What the hint prints, pasted, accepts this change and not the rule everywhere."""
    done = bff("check", "--json", "--live", write_live(project, without_title))
    advice = [one["advice"] for one in results(done) if one["rule"]]

    assert advice
    assert all("--allow 'response-property-removed:GET /" in one for one in advice)


def test_all_faults_are_reported_at_once(project, bff):
    """One gateway can't be loaded, and the other one still has its checks."""
    table = project / "pyproject.toml"
    edit(table, ':mobile"', ':nothing"')
    done = bff("check", "--json", "--live", write_live(project, without_title))
    areas = [one["area"] for one in results(done)]

    assert done.status == 1
    assert "gateway mobile" in areas
    assert "service catalog" in areas
    (change,) = [one for one in results(done) if one["rule"] == "response-property-removed"][:1]
    assert change["gateways"] == ["desktop"]


def test_an_exception_in_a_module_is_named_with_its_line(project, bff):
    """Code that raises when it is imported is an error with file and line."""
    file = renamed(project)
    file.write_text(f"{file.read_text()}\nraise RuntimeError('broken')\n")
    done = bff("check", "--offline", "--json")

    assert done.status == 1
    assert results(done)[0]["place"] == f"{file.name}:{len(file.read_text().splitlines())}"
    assert "broken" in results(done)[0]["what"]


def test_a_change_names_the_views_that_it_affects(project, bff):
    """The report has the operation, the field, and each view."""
    done = bff("check", "--live", write_live(project, without_title))

    assert done.status == 1
    assert (
        "GET /products/{productId}, response 200, title: the property title was removed" in done.out
    )
    assert "affects mobile: GET /v1/products/{product_id}" in done.out
    assert "affects desktop: GET /v1/products/{product_id}/label" in done.out
    assert "affects desktop: GET /v1/makers/{product_id}" in done.out  # it can't decode its reply
    assert "affects desktop: GET /v1/export" not in done.out


def test_a_change_may_be_allowed(project, bff):
    """A change that is intended is accepted by its rule, or by rule and operation."""
    live = write_live(project, without_title)
    rule = "response-property-removed"
    one = bff("check", "--live", live, "--allow", f"{rule}:GET /products/{{productId}}", "--json")

    assert bff("check", "--live", live, "--allow", rule).status == 0
    assert one.status == 1
    assert {each["operation"] for each in results(one)} == {"GET /products"}


def test_only_one_gateway_or_service(project, bff):
    """`--gateway` and `--service` limit what is checked, and refuse unknown names."""
    live = write_live(project, without_title)
    done = bff("check", "--gateway", "desktop", "--live", live, "--json", "--all")
    only = bff("check", "--service", "catalog", "--live", live, "--json", "--all")

    assert {one for each in results(done) for one in each["gateways"]} == {"desktop"}
    assert {one["area"] for one in json.loads(only.out)["results"]} == {"service catalog"}
    assert bff("check", "--gateway", "tv").status == 2
    assert bff("check", "--service", "tv").status == 2
    assert bff("check", "--live", "tv=x").status == 2
    assert bff("check", "--live", "catalog").status == 2


def test_a_service_publishes_its_contract_at_a_path(project, bff, monkeypatch):
    """A path in `contract_url` is one at the service's address; an absent service is an error."""
    app = FastAPI(openapi_url=None)
    document = changed(without_title)
    app.get("/openapi.json")(lambda: document)
    edit(project / "pyproject.toml", "port = 9002", "port = 9")
    absent = bff("check", "--json")
    offline = bff("check", "--offline")
    with served(app) as address:
        monkeypatch.setenv("BFF_UPSTREAM_CATALOG", address)
        done = bff("check", "--json")
        document = changed(lambda _: None)
        same = bff("check", "--json", "--all", "--service", "catalog")

    assert offline.status == 0
    assert absent.status == 1
    assert (
        "the live contract can't be read: http://127.0.0.1:9/openapi.json"
        in results(absent)[0]["what"]
    )
    assert "--offline" in results(absent)[0]["advice"]
    assert {one["rule"] for one in results(done)} == {"response-property-removed"}
    assert [one["rule"] for one in json.loads(same.out)["results"]] == [""]


def test_a_call_that_the_contract_does_not_have(project, bff):
    """A wrong path, a missing parameter and an unknown field are found without the service."""

    def change(document):
        document["paths"]["/items"] = document["paths"].pop("/stock")
        parameters = document["paths"]["/products"]["get"]["parameters"]
        parameters.append(
            {"name": "shop", "in": "query", "required": True, "schema": {"type": "string"}}
        )
        order = document["components"]["schemas"]["Order"]
        del order["properties"]["number"]
        order["required"].remove("number")

    (project / "catalog.json").write_text(json.dumps(changed(change)))
    done = bff("check", "--offline", "--json")
    found = {one["rule"]: one for one in results(done)}

    assert done.status == 1
    assert found.keys() == {"unknown-operation", "missing-parameter", "unknown-field"}
    assert found["unknown-operation"]["what"] == "the contract has no GET /stock"
    assert found["missing-parameter"]["views"] == ["mobile: GET /v1/search"]
    assert found["unknown-field"]["place"].startswith(source_of(project).name)
    assert "have no number" in found["unknown-field"]["what"]


@pytest.mark.parametrize("text", ["", "{", '{"openapi": "3.1.0"}'])
def test_a_contract_that_can_t_be_read(project, bff, text):
    """A pinned contract that is no OpenAPI document is an error, not a crash."""
    (project / "catalog.json").write_text(text)
    done = bff("check", "--offline", "--json")

    assert done.status == 1
    assert results(done)[0]["area"] == "service catalog"


def test_pinned_contracts_are_what_releases_are_compared_with(project, bff):
    """A view that loses a field breaks the gateway's own contract until it is pinned again."""
    first = bff("check", "--pin")
    same = bff("check", "--offline")
    edit(renamed(project), "    available: int\n\n\nmobile_views", "\n\nmobile_views")
    edit(source_of(project), ", 0 if stock is None else stock.available)", ")")
    broken = bff("check", "--offline", "--json")
    again = bff("check", "--pin", "--json")

    assert first.out.splitlines() == [
        "wrote contracts/access.txt",
        "wrote contracts/mobile.openapi.json",
        "wrote contracts/desktop.openapi.json",
    ]
    assert "no breaking change since contracts/mobile.openapi.json" in same.out
    assert {one["rule"] for one in results(broken)} == {"response-property-removed"}
    assert {one["operation"] for one in results(broken)} == {"GET /v1/products/{product_id}"}
    assert results(broken)[0]["field"] == "available"
    assert "contracts/mobile.openapi.json" in json.loads(again.out)["written"]
    assert bff("check", "--offline").status == 0


def test_the_pinned_files_of_a_revision_may_be_the_release(project, bff):
    """`--since` compares with the files as they were at a tag, whatever was pinned later."""
    bff("check", "--pin")
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "release")
    git(project, "tag", "v1")
    edit(renamed(project), "    available: int\n\n\nmobile_views", "\n\nmobile_views")
    edit(source_of(project), ", 0 if stock is None else stock.available)", ")")
    bff("check", "--pin")

    assert bff("check", "--offline").status == 0
    assert bff("check", "--offline", "--since", "v1").status == 1
    assert bff("check", "--offline", "--since", "v9").status == 2
    assert bff("check", "--offline", "--since", "--output=x").status == 2


def test_a_named_contract_that_is_missing_is_an_error(project, bff):
    """A gateway whose file was deleted is not unguarded in silence."""
    edit(project / "pyproject.toml", "port = 8002", 'port = 8002\ncontract = "gone.json"')
    done = bff("check", "--offline", "--json")

    assert [one["what"] for one in results(done)] == ["gone.json: there is no such file"]


def test_annotations_of_github(project, bff):
    """`--format github` prints workflow commands, whose values are escaped."""
    (project / "catalog.json").write_text(json.dumps({**DOCUMENT, "paths": {"/x%": {}}}))
    done = bff("check", "--offline", "--format", "github")
    line = next(one for one in done.out.splitlines() if one.startswith("::error"))

    assert done.status == 1
    assert line.startswith(f"::error file={source_of(project).name},line=")
    assert "title=bff check%3A service catalog::the contract has no" in line
    assert "%0Aaffects" in line


def test_why_a_field_counts_as_used(project, bff):
    """`--explain` names the lines that read a field, with the views; unread ones have none."""
    read = bff("check", "--explain", "Product.weight")
    whole = bff("check", "--explain", "Maker.country", "--json")
    unread = bff("check", "--explain", "Product.subtitle")

    assert read.status == 0
    assert "desktop: GET /v1/products/{product_id}/label" in read.out
    assert json.loads(whole.out)[0]["reason"] == "it is passed to asdict"
    assert unread.status == 1
    assert unread.out == "Product.subtitle is not used by any view\n"
    assert bff("check", "--explain", "weight").status == 2


def test_what_production_needs(project, bff, monkeypatch):
    """CI without secrets names the variables; `--production` judges those that are given."""
    needs = bff("check", "--offline", "--all")
    judged = bff("check", "--offline", "--production", "--json")
    monkeypatch.setenv("BFF_ALLOWED_HOSTS", "shop.example.com")
    monkeypatch.setenv("BFF_UPSTREAM_CATALOG", "http://catalog:9002")
    ready = bff("check", "--offline", "--production", "--json")

    assert needs.status == 0
    assert "production needs: BFF_ALLOWED_HOSTS is not set" in needs.out
    assert "BFF_UPSTREAM_CATALOG" in needs.out
    assert judged.status == 1
    assert {one["step"] for one in results(judged)} == {"production"}
    assert ready.status == 0


def test_a_contract_of_a_service_that_no_view_calls(project, bff):
    """A client of another name than the table is an error, since no change could be judged."""
    table = project / "pyproject.toml"
    edit(table, "[tool.bff.services.catalog]", "[tool.bff.services.goods]")
    done = bff("check", "--offline")

    assert done.status == 1
    assert "no view of these gateways calls goods, but they call catalog" in done.out
    assert "name = 'goods'" in done.out


def test_a_contract_of_a_service_that_is_not_called_yet(project, bff):
    """A service that no view calls has no changes that affect one."""
    table = project / "pyproject.toml"
    goods = '[tool.bff.services.goods]\nport = 9003\ncontract = "catalog.json"\n'
    table.write_text(f"{table.read_text()}\n{goods}")
    done = bff("check", "--offline")

    assert done.status == 0
    assert "no view of these gateways calls it" in done.out


@pytest.mark.parametrize("name", ["catalog.json", "contracts/mobile.openapi.json"])
def test_a_contract_with_conflict_markers(project, bff, name):
    """A merge that went wrong is named, rather than a fault of JSON."""
    bff("check", "--pin")
    edit(project / name, "{", "<<<<<<< HEAD\n{")
    done = bff("check", "--offline")

    assert done.status == 1
    assert f"{name} has conflict markers of git" in done.out


def test_an_access_list_with_conflict_markers(project, bff):
    """The rules of both sides of a conflict are not taken for pinned."""
    bff("check", "--pin")
    edit(project / "contracts/access.txt", "mobile:", "<<<<<<< HEAD\nmobile:")
    done = bff("check", "--offline")

    assert done.status == 1
    assert "contracts/access.txt has conflict markers of git" in done.out


@pytest.mark.parametrize("name", ["access.txt", "mobile.openapi.json"])
def test_a_pinned_file_that_is_no_text(project, bff, name):
    """A file in another encoding is named, with what to do."""
    bff("check", "--pin")
    (project / "contracts" / name).write_bytes(b"\xff\xfe{")
    done = bff("check", "--offline")

    assert done.status == 2
    assert "is no text in UTF-8" in done.err


def test_a_live_contract_of_another_service(project, bff):
    """One fault is reported, not one for each operation."""
    other = project / "weather.json"
    other.write_text(json.dumps({**DOCUMENT, "paths": {"/weather": DOCUMENT["paths"]["/admin"]}}))
    done = bff("check", "--json", "--live", f"catalog={other}")

    (error,) = results(done)
    assert "has none of the 7 operations of catalog.json" in error["what"]
    assert error["gateways"] == ["mobile", "desktop"]


def test_a_revision_without_the_contract(project, bff):
    """A revision that has no pinned contract compares nothing, and that is a warning."""
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    bff("check", "--pin")
    done = bff("check", "--json", "--offline", "--since", "HEAD")

    assert any("HEAD has no contracts/mobile" in one["what"] for one in results(done, "warning"))


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("Product.titel", "it has id, maker, price"),
        ("Nothing.title", "no reply type has this name"),
    ],
)
def test_a_field_that_no_reply_has_is_not_explained(bff, project, field, why):
    """A misspelt field is not reported as unused."""
    done = bff("check", "--explain", field)

    assert done.status == 2
    assert why in done.err
