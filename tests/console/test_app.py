from tests.console.visitor import said


def test_a_form_that_is_too_large_is_refused(admin):
    page = admin.post("/send", {"body": "x" * 70_000})
    assert page.status_code == 413
    assert "Too Large" in said(page)


def test_static_files_are_there_and_no_others(admin):
    for name in ("console.css", "icon.svg", "live.js", "charts.js", "export.js", "chart.umd.min.js"):
        assert admin.get(f"/static/{name}").status_code == 200, name
    assert admin.get("/static/../app.py").status_code == 404


def test_the_vendored_library_comes_with_its_version_and_licence(admin):
    assert admin.get("/static/chart.umd.min.js").text.startswith("/*!\n * Chart.js v4.")
    assert "MIT License" in admin.get("/static/chart.LICENSE.txt").text


def test_the_first_page_is_there_with_and_without_a_slash(admin):
    assert admin.get("").status_code == admin.get("/").status_code == 200
