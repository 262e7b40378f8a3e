"""The only wiring: builds what a process needs from its configuration and its database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from secrets import token_hex
from threading import Event as Flag
from time import perf_counter

from notify_server.channels import key_endpoint
from notify_server.channels.fcm import trial
from notify_server.channels.mail.catcher import Catcher
from notify_server.channels.mail.smtp import Limits as MailLimits
from notify_server.channels.mail.transport import open_mail_transport
from notify_server.config import CATCHER_HOST, Config
from notify_server.domain.email_settings import EmailSettings, SmtpServer
from notify_server.domain.mail import Address, Security
from notify_server.domain.mail import Service as MailServiceName
from notify_server.domain.notification import Channel
from notify_server.domain.pace import Limits
from notify_server.domain.push import PushTransport
from notify_server.services.acceptance import Acceptance
from notify_server.services.acceptance import Stores as AcceptanceStores
from notify_server.services.actions import Actions
from notify_server.services.addressing import AwaitedMail
from notify_server.services.announcement import Announcements, Sources
from notify_server.services.arrival import Arrival
from notify_server.services.audit import AuditLog
from notify_server.services.cancellation import Cancellation
from notify_server.services.cancellation import Stores as CancellationStores
from notify_server.services.clock import Clock, database_clock
from notify_server.services.comparison import Comparison
from notify_server.services.completion import Completion
from notify_server.services.composition import Composition
from notify_server.services.counting import Counting, Ticks
from notify_server.services.counting_lease import CountingLease
from notify_server.services.delivery import After, Before, Delivery
from notify_server.services.device_limits import DeviceLimits
from notify_server.services.email_settings import EmailSettingsStore, Environment
from notify_server.services.enrolment import Enrolment, Waiting
from notify_server.services.enrolment import Limits as DeviceBounds
from notify_server.services.erasing import Erasing
from notify_server.services.expansion import Expansion, Stores
from notify_server.services.export import Export
from notify_server.services.figures import Figures
from notify_server.services.figures import Stores as FigureStores
from notify_server.services.gate import Gate
from notify_server.services.governor import Governor, Shared
from notify_server.services.health import Health, Pacing
from notify_server.services.holder import Holder
from notify_server.services.hygiene import Contacts, Hygiene
from notify_server.services.inbox import Reading
from notify_server.services.inbox_pages import Browsing
from notify_server.services.inspection import Inspection
from notify_server.services.installing import Installing
from notify_server.services.keys import KeySet
from notify_server.services.leadership import Leadership
from notify_server.services.leasing import Leasing
from notify_server.services.link_policy import LinkPolicy
from notify_server.services.localising import Localising
from notify_server.services.mail_log import MailLog
from notify_server.services.mail_outlet import MailOutlet
from notify_server.services.mail_reports import MailReports
from notify_server.services.mail_reports import Stores as MailReportStores
from notify_server.services.mail_service import MailService
from notify_server.services.mail_settlement import MailSettlement
from notify_server.services.mail_settlement import Stores as MailSettlementStores
from notify_server.services.mail_sorting import MailSorting
from notify_server.services.mail_sorting import Sources as MailSources
from notify_server.services.mail_upkeep import MailUpkeep
from notify_server.services.mailing import After as AfterMailing
from notify_server.services.mailing import Mailing, WayOut
from notify_server.services.membership import Membership
from notify_server.services.messages import Messages
from notify_server.services.outlet import Outlet
from notify_server.services.people import People
from notify_server.services.preparation import Content, Preparation, Reached
from notify_server.services.rankings import TopLists
from notify_server.services.rate_limits import RateLimits, build_limits
from notify_server.services.reception import Reception
from notify_server.services.registry_export import RegistryExport
from notify_server.services.replay import Replays
from notify_server.services.resending import Resending
from notify_server.services.resending import Stores as ResendingStores
from notify_server.services.retirement import Retirement
from notify_server.services.retirement import Stores as RetirementStores
from notify_server.services.rollup_proof import RollupProof
from notify_server.services.sealing import Seal
from notify_server.services.sequencing import Sequencing
from notify_server.services.server_tokens import ServerTokens
from notify_server.services.sessions import Sessions
from notify_server.services.settlement import Settlement
from notify_server.services.settlement import Stores as SettlementStores
from notify_server.services.subscriptions import Muting
from notify_server.services.templates import Templates
from notify_server.services.texts import Mails as Texts
from notify_server.services.uncounted import Stores as UncountedStores
from notify_server.services.uncounted import Uncounted
from notify_server.services.unsubscribing import Links, Unsubscribing
from notify_server.services.upkeep import Upkeep
from notify_server.services.user_tokens import Foreign, Signing, UserTokens
from notify_server.services.variables import Variables
from notify_server.services.verification import Verification
from notify_server.services.wording import Wording
from notify_server.storage.actions import Actions as ActionStore
from notify_server.storage.audience_health import AudienceHealth
from notify_server.storage.audit import Audit
from notify_server.storage.backlog import Backlog
from notify_server.storage.batches import Batches
from notify_server.storage.blocked_addresses import BlockedAddresses
from notify_server.storage.changes import Changes
from notify_server.storage.clients import Clients
from notify_server.storage.counts import Counts
from notify_server.storage.devices import Devices
from notify_server.storage.documents import Store
from notify_server.storage.entries import Entries
from notify_server.storage.erasures import Erasures
from notify_server.storage.expansions import Expansions
from notify_server.storage.groups import Groups
from notify_server.storage.hash_keys import HashKeys
from notify_server.storage.inbox import Inbox
from notify_server.storage.inbox_pages import InboxPages
from notify_server.storage.joint import Joint
from notify_server.storage.journal import Journal
from notify_server.storage.known import Known
from notify_server.storage.leases import Leases
from notify_server.storage.mail_pages import MailPages
from notify_server.storage.mails import Mails
from notify_server.storage.members import Members
from notify_server.storage.notifications import Notifications
from notify_server.storage.paces import Paces
from notify_server.storage.personal import Personal
from notify_server.storage.rankings import Rankings
from notify_server.storage.receipts import Receipts
from notify_server.storage.recount import Recount
from notify_server.storage.registry import Registry
from notify_server.storage.registry_walk import RegistryWalk
from notify_server.storage.resends import Resends
from notify_server.storage.retirements import Retirements
from notify_server.storage.rollup_check import RollupCheck
from notify_server.storage.sequenced import Sequenced
from notify_server.storage.sequences import Sequences
from notify_server.storage.sessions import Sessions as StoredSessions
from notify_server.storage.settings import Settings
from notify_server.storage.signals import Signals
from notify_server.storage.snapshots import Snapshots
from notify_server.storage.standings import Standings
from notify_server.storage.statistics import Statistics
from notify_server.storage.subjects import Subjects
from notify_server.storage.subscriptions import Subscriptions
from notify_server.storage.tallies import Tallies
from notify_server.storage.templates import Templates as TemplateStore
from notify_server.storage.traces import Traces
from notify_server.storage.updates import Updates
from notify_server.storage.user_fates import UserFates
from notify_server.storage.users import Users
from notify_server.storage.workers import Workers

_ANSWERS = 3  # that a probe by mail may wait for: a connection, a login, and what is said of the mail


@dataclass(frozen=True, slots=True)
class Services:
    """What the API calls."""

    acceptance: Acceptance
    templates: Templates
    actions: Actions
    packs: Installing
    cancellation: Cancellation
    resending: Resending
    inspection: Inspection
    figures: Figures
    rankings: TopLists
    registry_export: RegistryExport
    people: People
    erasing: Erasing
    export: Export
    audit: AuditLog
    membership: Membership
    enrolment: Enrolment
    reception: Reception
    inbox: Reading
    inbox_pages: Browsing
    subscriptions: Muting
    server_tokens: ServerTokens
    user_tokens: UserTokens
    sessions: Sessions
    health: Health
    rate_limits: RateLimits
    mail_log: MailLog
    mail_reports: MailReports
    email_settings: EmailSettingsStore
    unsubscribing: Unsubscribing
    catcher: Catcher | None
    clock: Clock


@dataclass(frozen=True, slots=True)
class Engine:
    """What a worker runs."""

    expansion: Expansion
    delivery: Delivery
    leasing: Leasing
    governor: Governor
    mailing: Mailing
    mail_governor: Governor


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a realtime process calls."""

    user_tokens: UserTokens
    reception: Reception
    inbox: Reading
    announcements: Announcements
    replays: Replays


def build_services(config: Config, database: Store, clock: Clock | None = None) -> Services:
    """The services of a web process, or of a command."""
    clock = clock or database_clock(database)
    users, devices, registry, batches = Users(database), Devices(database), Registry(database), Batches(database)
    notifications, entries, signals = Notifications(database), Entries(database), Signals(database)
    figures, rankings = build_figures(database, clock)
    server_tokens = ServerTokens(Clients(database), clock)
    limits = {Channel.PUSH: Limits(config.fcm_rate, config.fcm_ramp), Channel.EMAIL: Limits(config.mail_rate, 0.0)}
    pacing = Pacing(Paces(database), Workers(database), limits)
    mails, blocked, muting = Mails(database), BlockedAddresses(database), Muting(Subscriptions(database), users, clock)
    wording = Wording(notifications, users, devices)
    links = LinkPolicy(config.link_schemes, config.link_hosts)
    templates = Templates(TemplateStore(database), Variables(links), clock)
    actions = Actions(ActionStore(database), TemplateStore(database), clock)
    return Services(
        acceptance=Acceptance(
            AcceptanceStores(notifications, signals, HashKeys(database)),
            Composition(templates, actions),
            trial.check,
            links,
            clock,
        ),
        templates=templates,
        actions=actions,
        packs=Installing(templates, actions),
        cancellation=build_cancellation(database, clock),
        resending=build_resending(database, clock),
        inspection=Inspection(notifications, entries, users),
        figures=figures,
        rankings=rankings,
        registry_export=RegistryExport(RegistryWalk(database), notifications, clock),
        people=People(users, AwaitedMail(mails, batches, signals), clock),
        erasing=build_erasing(database, clock),
        export=Export(Personal(database), Audit(database), clock),
        audit=AuditLog(
            Audit(database), Clients(database), Erasures(database), timedelta(days=config.audit_days), clock
        ),
        membership=Membership(Groups(database), Members(database), users, clock),
        enrolment=Enrolment(
            devices,
            users,
            Waiting(registry, batches, signals),
            clock,
            DeviceBounds(config.devices_per_user, timedelta(days=config.device_stale_days)),
        ),
        reception=Reception(Receipts(database), Contacts(devices, clock), Updates(database), clock),
        inbox=Reading(Inbox(database), wording, Updates(database), clock),
        inbox_pages=Browsing(InboxPages(database), wording, users),
        subscriptions=muting,
        server_tokens=server_tokens,
        user_tokens=_user_tokens(config, clock),
        sessions=Sessions(StoredSessions(database), server_tokens, clock),
        health=Health(database, Backlog(database), Expansions(database), pacing, clock),
        rate_limits=build_limits(config),
        mail_log=MailLog(MailPages(database), mails, blocked, users),
        mail_reports=MailReports(
            MailReportStores(mails, Joint(database), blocked, users, notifications), muting, clock
        ),
        email_settings=build_email_settings(config, database, clock),
        unsubscribing=Unsubscribing(Links(HashKeys(database), config.public_url), users, muting),
        catcher=Catcher(f"http://{CATCHER_HOST}:{config.catcher_port}") if config.mail_catcher else None,
        clock=clock,
    )


def build_engine(
    config: Config, database: Store, transport: PushTransport, clock: Clock | None = None, rng: Random | None = None
) -> Engine:
    """The delivery engine of one worker run; its leases carry a name that no other run has. `rng` spreads retries."""
    clock = clock or database_clock(database)
    holder = Holder(f"{config.owner}:{token_hex(4)}", config.lease, clock)
    users, devices, registry, batches = Users(database), Devices(database), Registry(database), Batches(database)
    expansions, signals, members = Expansions(database), Signals(database), Members(database)
    completion = Completion(expansions, Backlog(database))
    rng = rng or Random()  # noqa: S311 - jitter, not a secret
    settlement = Settlement(SettlementStores(registry, Joint(database), devices, batches), rng, clock)
    limits = Limits(config.fcm_rate, config.fcm_ramp)
    governor = Governor(Shared(Paces(database), Workers(database)), limits, holder)
    leasing = Leasing(batches, expansions, signals, holder)
    arrival = Arrival(members, users, registry, Erasures(database))
    gate = Gate(batches, expansions, registry, leasing)
    mail_governor = _mail_governor(config, database, holder)
    content = Content(Messages(Notifications(database), transport), Localising(registry, users))
    return Engine(
        expansion=Expansion(
            Stores(expansions, members, batches, signals),
            arrival,
            Sequencing(Sequences(database), arrival, signals, holder),
            completion,
            holder,
        ),
        delivery=Delivery(
            Before(gate, Preparation(Reached(registry, devices), content, settlement, holder)),
            Outlet(transport, governor, DeviceLimits()),
            After(settlement, completion),
            leasing,
        ),
        leasing=leasing,
        governor=governor,
        mailing=_mailing(config, database, gate, mail_governor, rng),
        mail_governor=mail_governor,
    )


def _mail_governor(config: Config, database: Store, holder: Holder) -> Governor:
    shared = Shared(Paces(database), Workers(database, Channel.EMAIL))
    limits = Limits(config.mail_rate, 0.0, timedelta(seconds=_ANSWERS * config.mail_timeout))
    return Governor(shared, limits, holder, channel=Channel.EMAIL)


def _mailing(config: Config, database: Store, gate: Gate, governor: Governor, rng: Random) -> Mailing:
    """What mails: its connections are opened when there is something to send."""
    clock, completion = gate.leasing.holder.clock, Completion(Expansions(database), Backlog(database))
    mails, notifications, users = Mails(database), Notifications(database), Users(database)
    blocked = BlockedAddresses(database)
    stopping = Flag()
    limits = MailLimits(config.mail_timeout, config.mail_ca_file, stopping.is_set)
    settings = build_email_settings(config, database, clock)
    outlet = MailOutlet(mails, governor, config.mail_connections, clock)
    service = MailService(settings, lambda found: open_mail_transport(found, config.sendgrid_endpoint, limits, clock))
    sources = MailSources(Registry(database), Joint(database), users, notifications, mails, blocked)
    links = Links(HashKeys(database), config.public_url)
    stores = MailSettlementStores(Joint(database), Batches(database), users, blocked)
    return Mailing(
        gate,
        MailSorting(sources, Texts(notifications), links, timedelta(days=config.mail_days)),
        WayOut(outlet, service, notifications.attachments, stopping),
        AfterMailing(MailSettlement(stores, gate.leasing.holder, rng), completion),
    )


def build_email_settings(config: Config, database: Store, clock: Clock | None = None) -> EmailSettingsStore:
    """The settings of the channel email, as the API and workers see them."""
    clock = clock or database_clock(database)
    fallback = EmailSettings()
    if config.mail_catcher:
        catcher = SmtpServer(CATCHER_HOST, config.catcher_smtp_port, Security.NONE)
        fallback = EmailSettings(MailServiceName.SMTP, Address("notify@localhost", "Notify Server"), smtp=catcher)
    environment = Environment(config.smtp_host, config.smtp_password, config.sendgrid_key, fallback)
    return EmailSettingsStore(Settings(database), Seal(config.settings_key), environment, clock)


def build_upkeep(config: Config, database: Store, clock: Clock | None = None) -> tuple[Leadership, Upkeep]:
    """What a scheduler runs: the right to do it, and the jobs."""
    clock = clock or database_clock(database)
    holder = Holder(f"{config.owner}:{token_hex(4)}", config.lease, clock)
    upkeep = Upkeep(Expansions(database), Backlog(database), Registry(database), Signals(database), clock)
    return Leadership(Leases(database), holder), upkeep


def build_figures(database: Store, clock: Clock | None = None) -> tuple[Figures, TopLists]:
    """What answers analysts: figures of one thing, and comparisons of many."""
    clock, snapshots, standings = clock or database_clock(database), Snapshots(database), Standings(database)
    journal = UncountedStores(Changes(database), standings, Subjects(database), Recount(database), Tallies(database))
    uncounted = Uncounted(journal, clock)
    stores = FigureStores(
        Statistics(database),
        Notifications(database),
        standings,
        Users(database),
        UserFates(database),
        Known(database),
        snapshots,
    )
    figures = Figures(stores, uncounted, clock)
    return figures, TopLists(Rankings(database), AudienceHealth(database), uncounted, figures, snapshots)


def build_cancellation(database: Store, clock: Clock | None = None) -> Cancellation:
    """What takes notifications back: web begins it, a scheduler sweeps up."""
    clock = clock or database_clock(database)
    stores = CancellationStores(
        Notifications(database),
        Expansions(database),
        Backlog(database),
        Registry(database),
        Entries(database),
        Resends(database),
        Mails(database),
    )
    return Cancellation(stores, Signals(database), clock)


def build_resending(database: Store, clock: Clock | None = None) -> Resending:
    """What sends again by request: web takes the request, a scheduler queues it."""
    clock = clock or database_clock(database)
    stores = ResendingStores(Notifications(database), Resends(database), Backlog(database), Registry(database))
    return Resending(stores, Signals(database), clock)


def build_erasing(database: Store, clock: Clock | None = None) -> Erasing:
    """What erases people: web begins it, a scheduler completes it."""
    clock, erasures = clock or database_clock(database), Erasures(database)
    return Erasing(erasures, Traces(database, erasures), Audit(database), clock)


def build_mail_upkeep(database: Store, clock: Clock | None = None) -> MailUpkeep:
    """What ends mails that could not be sent in time."""
    return MailUpkeep(Mails(database), clock or database_clock(database))


def build_counting(config: Config, database: Store, clock: Clock | None = None, ticks: Ticks | None = None) -> Counting:
    """What keeps the statistics right."""
    lease = CountingLease(Leases(database), config.owner, clock or database_clock(database))
    stores = Changes(database), Subjects(database), Counts(database)
    return Counting(stores, lease, config.counting_share, ticks or Ticks())


def build_retirement(
    config: Config, database: Store, clock: Clock | None = None, ticks: Callable[[], float] = perf_counter
) -> Retirement:
    """What removes old notifications."""
    lease = CountingLease(Leases(database), config.owner, clock or database_clock(database))
    stores = RetirementStores(Subjects(database), Counts(database), Retirements(database))
    return Retirement(stores, lease, config.registry_days, config.counting_share, ticks)


def build_verification(
    config: Config, database: Store, clock: Clock | None = None, patience: float = 60.0
) -> Verification:
    """What proves the statistics right. It waits so many seconds for what changes in this moment."""
    lease = CountingLease(Leases(database), config.owner, clock or database_clock(database))
    subjects, tallies = Subjects(database), Tallies(database)
    comparison = Comparison(Changes(database), subjects, Recount(database), tallies, Snapshots(database))
    proof = RollupProof(RollupCheck(database), tallies, subjects, lease)
    return Verification(subjects, (comparison, proof), (Counts(database), Journal(database), lease), patience)


def build_hygiene(config: Config, database: Store, clock: Clock | None = None) -> Hygiene:
    """What removes silent devices."""
    clock = clock or database_clock(database)
    return Hygiene(Devices(database), timedelta(days=config.device_remove_days), clock)


def build_gateway(config: Config, database: Store, clock: Clock | None = None) -> Gateway:
    """What a realtime process needs."""
    clock = clock or database_clock(database)
    notifications, entries, updates = Notifications(database), Sequenced(database), Updates(database)
    wording = Wording(notifications, Users(database), Devices(database))
    sources = Sources(Sequences(database), Backlog(database), wording, entries)
    return Gateway(
        user_tokens=_user_tokens(config, clock),
        reception=Reception(Receipts(database), Contacts(Devices(database), clock), updates, clock),
        inbox=Reading(Inbox(database), wording, updates, clock),
        announcements=Announcements(sources, clock),
        replays=Replays(entries, wording, config.realtime_replay, clock),
    )


def _user_tokens(config: Config, clock: Clock) -> UserTokens:
    signing = Signing(
        config.jwt_secret, config.jwt_issuer, config.jwt_audience, config.jwt_lifetime, config.jwt_secret_previous
    )
    if not config.jwt_jwks_url:
        return UserTokens(signing, clock)
    keys = KeySet(partial(key_endpoint.fetch, config.jwt_jwks_url), clock)
    issuer, audience = config.jwt_jwks_issuer or config.jwt_issuer, config.jwt_jwks_audience or config.jwt_audience
    return UserTokens(signing, clock, Foreign(keys, issuer, audience))
