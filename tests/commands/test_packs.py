from notify_server.bootstrap import build_services


def test_packs_are_listed(run):
    assert run("pack", "list").stdout == "events  25 actions  Events and ticketing\n"


def test_a_pack_is_installed_once_and_the_log_says_so(run, config, database):
    assert run("pack", "install", "events").stdout.splitlines()[-1] == "50 new"
    done = run("pack", "install", "events")
    assert done.stdout.splitlines()[0].split() == ["unchanged", "template", "after_event"]
    assert done.stdout.splitlines()[-1] == "50 unchanged"
    services = build_services(config, database)
    assert services.templates.get("ticket_purchased").pack == "events"
    lines = services.audit.page({"action": "packs.install"}, None, 9)
    assert [(told.line.change.object.id, told.line.status) for told in lines] == [("events", 200)] * 2


def test_what_somebody_has_changed_is_kept_unless_forced(run, config, database):
    run("pack", "install", "events")
    services = build_services(config, database)
    content = services.templates.get("after_event").content
    services.templates.put("after_event", content)
    database["templates"].update_one({"name": "after_event", "version": 2}, {"$set": {"category": "mine"}})
    assert run("pack", "install", "events").stdout.splitlines()[-1] == "1 kept, 49 unchanged"
    assert run("pack", "install", "events", "--force").stdout.splitlines()[-1] == "49 unchanged, 1 updated"


def test_an_unknown_pack_is_refused(run):
    assert "There is no pack 'nothing'; there are: events." in run("pack", "install", "nothing", expect=1).stderr
