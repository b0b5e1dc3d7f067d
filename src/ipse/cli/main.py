"""The command tree. Bodies import what they need, so that ``ipse --help`` does not load a server or a model."""

from __future__ import annotations

import enum
import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from ipse.cli.audit import audit
from ipse.cli.backup import backup
from ipse.cli.evidence import evidence, replay
from ipse.cli.failure import explained
from ipse.cli.lockout import lockout
from ipse.cli.policies import policy
from ipse.cli.privacy import erase, export_subject, receipt, retention
from ipse.cli.templates import templates

app = typer.Typer(
    name="ipse",
    help="Self-hosted biometric step-up: prove that the very person is there, and get a signed verdict.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
models = typer.Typer(no_args_is_help=True, help="The model files.")
data = typer.Typer(no_args_is_help=True, help="The address data.")
keys = typer.Typer(no_args_is_help=True, help="The encryption keys.")
applications = typer.Typer(no_args_is_help=True, help="The applications of this installation.")
app.add_typer(applications, name="applications")
app.add_typer(models, name="models")
app.add_typer(data, name="data")
app.add_typer(keys, name="keys")
app.add_typer(policy, name="policy")
faces = typer.Typer(no_args_is_help=True, help="The stored faces.")
face_index = typer.Typer(no_args_is_help=True, help="The vector index in PostgreSQL for face search.")
faces.add_typer(face_index, name="index")
app.add_typer(faces, name="faces")
app.add_typer(templates, name="templates")
app.add_typer(lockout, name="lockout")
app.add_typer(audit, name="audit")
app.command()(erase)
app.command("export-subject")(export_subject)
app.add_typer(retention, name="retention")
app.add_typer(receipt, name="receipt")
app.add_typer(backup, name="backup")
app.add_typer(evidence, name="evidence")
app.command()(replay)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class ModelGroup(enum.StrEnum):
    """Which models to obtain."""

    ALL = "all"
    REGISTRY = "registry"
    LIVENESS = "liveness"


class DataGroup(enum.StrEnum):
    """Which address data to obtain."""

    ALL = "all"
    REQUIRED = "required"
    CITY = "city"


class RingName(enum.StrEnum):
    """Which key ring."""

    ALL = "all"
    ORDINARY = "ordinary"
    BIOMETRIC = "biometric"


class Environment(enum.StrEnum):
    """Which application of the local organisation."""

    SANDBOX = "sandbox"
    LIVE = "live"


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default IPSE_HOST.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 picks one; default IPSE_PORT.")] = None,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that share the port; one uses one core.")
    ] = 1,
    as_json: Json = False,
) -> None:
    """Serve the API.

    On a fresh local installation it first creates an organisation and shows its keys.
    """
    # Importing makes hundreds of thousands of objects that stay: looking for garbage among them delays the start.
    gc.disable()
    from ipse.cli import serving

    gc.enable()
    serving.serve(host, port, processes=processes, as_json=as_json)


@app.command()
def worker() -> None:
    """Deliver webhooks and run the schedules.

    For a process of its own; set IPSE_RUN_WORKER=false for `ipse serve` then.
    """
    from ipse.cli import serving

    serving.work()


@app.command()
def init(
    new_key: Annotated[
        Environment | None, typer.Option("--new-key", help="Issue one more key for this environment.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Create database, keys and a local organisation.

    The organisation has a sandbox and a live application. A second run shows what exists, without secrets.
    """
    from ipse.cli import first_run

    first_run.init(new_key.value if new_key else None, as_json=as_json)


@app.command()
def migrate(as_json: Json = False) -> None:
    """Bring the database to this release's schema.

    `ipse serve` and `ipse worker` do it at their start; this is for installations of many processes, before the new
    release is rolled out. Those that run may go on.
    """
    from ipse.cli import migrating

    migrating.bring_up(as_json=as_json)


@app.command()
def demo(as_json: Json = False) -> None:
    """Play the main job on real faces.

    Enrolment, step-up, an impostor and two attacks, each with its signed verdict.
    """
    from ipse.cli import demo as playing

    playing.demo(as_json=as_json)


@app.command()
def match(
    first: Annotated[Path, typer.Argument(metavar="A", exists=True, dir_okay=False, help="An image with a face.")],
    second: Annotated[Path, typer.Argument(metavar="B", exists=True, dir_okay=False, help="Another one.")],
    threshold: Annotated[float, typer.Option(min=0, max=100, help="Score from which they are the same person.")] = 60,
    as_json: Json = False,
) -> None:
    """Compare two faces.

    Exit code 0: same person at the threshold, 1: not.
    """
    from ipse.cli import faces

    faces.match(first, second, threshold, as_json=as_json)


@app.command()
def liveness(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMG...", exists=True, dir_okay=False, help="One frame or a burst.")
    ],
    threshold: Annotated[float, typer.Option(min=0, max=100, help="Score from which the capture counts as live.")] = 70,
    as_json: Json = False,
) -> None:
    """Tell a person from a picture.

    Exit code 0: live at the threshold, 1: not.
    """
    from ipse.cli import faces

    faces.liveness(images, threshold, as_json=as_json)


@app.command()
def listen(
    secret: Annotated[
        str, typer.Option(envvar="IPSE_WEBHOOK_SECRET", help="The destination's secret_shared_key.", prompt=True)
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 9000,
    forward: Annotated[str | None, typer.Option(help="Pass verified webhooks on to this URL.")] = None,
    as_json: Json = False,
) -> None:
    """Receive and verify webhooks.

    Checks the raw bytes and the canonical JSON, shows the differing byte when a signature fails, and forwards.
    """
    from ipse.cli import listening

    listening.listen(secret, port, forward, as_json=as_json)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check the installation.

    Each line is ok, warn or fail, with what to do. Exit code 1 when something fails.
    """
    from ipse.cli import doctor as examination

    examination.doctor(as_json=as_json)


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; none = the quick one.")] = None,
    as_json: Json = False,
) -> None:
    """Measure this machine.

    Without a name the quick benchmark; with names, scripts of bench/ in a source checkout.
    """
    from ipse.cli import bench as measuring

    measuring.bench(names or [], as_json=as_json)


@app.command()
def version(as_json: Json = False) -> None:
    """Show versions."""
    from ipse.cli import versions

    versions.version(as_json=as_json)


@applications.command("list")
def applications_list(as_json: Json = False) -> None:
    """List applications and their settings."""
    from ipse.cli import applications as local

    local.show(as_json=as_json)


@applications.command("set")
def applications_set(
    application: Annotated[str, typer.Argument(help="An id, or sandbox or live for the first of that mode.")],
    assignments: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="Such as sandbox_engine=real.")],
    as_json: Json = False,
) -> None:
    """Change settings of an application.

    Switching mode revokes the keys of the old environment and shows a new one.
    """
    from ipse.cli import applications as local

    local.change(application, assignments, as_json=as_json)


@models.command("list")
def models_list(as_json: Json = False) -> None:
    """List every model of the ledger and its state."""
    from ipse.cli import models as ledger

    ledger.show(as_json=as_json)


@models.command("pull")
def models_pull(
    which: Annotated[ModelGroup, typer.Option(help="registry: required; liveness: the optional networks.")] = (
        ModelGroup.ALL
    ),
    from_dir: Annotated[
        Path | None, typer.Option("--from", exists=True, file_okay=False, help="Take files from this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch, check and convert the models.

    Exit code 1 only when a required one is missing, or when only the liveness networks were asked for and failed.
    """
    from ipse.cli import models as ledger

    ledger.pull(which.value, from_dir, as_json=as_json)


@models.command("verify")
def models_verify(as_json: Json = False) -> None:
    """Hash every model file.

    Exit code 1 when a required one is missing or any is changed or unlisted.
    """
    from ipse.cli import models as ledger

    ledger.verify(as_json=as_json)


@data.command("list")
def data_list(as_json: Json = False) -> None:
    """List the data sets, with age, licence and state."""
    from ipse.cli import data as files

    files.show(as_json=as_json)


@data.command("pull")
def data_pull(
    which: Annotated[DataGroup, typer.Option(help="required: country and operator; city: 64 MB more.")] = DataGroup.ALL,
    from_dir: Annotated[
        Path | None, typer.Option("--from", exists=True, file_okay=False, help="Take archives from this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch, check and convert the pinned versions.

    Exit code 1 only when required data are missing, or when only the city data were asked for and failed.
    """
    from ipse.cli import data as files

    files.pull(which.value, from_dir, as_json=as_json)


@data.command("update")
def data_update(
    which: Annotated[DataGroup, typer.Option(help="Which group.")] = DataGroup.ALL,
    from_dir: Annotated[
        Path | None, typer.Option("--from", exists=True, file_okay=False, help="Take archives from this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put the newest versions in force.

    A running server notices within a minute. Whatever fails keeps its old version (exit code 1).
    """
    from ipse.cli import data as files

    files.update(which.value, from_dir, as_json=as_json)


@data.command("look")
def data_look(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="IPv4 or IPv6.")], as_json: Json = False
) -> None:
    """Show what is known of an address.

    Each fact with its source and age, and the risk score with its parts.
    """
    from ipse.cli import data as files

    files.look(address, as_json=as_json)


@keys.command("show")
def keys_show(as_json: Json = False) -> None:
    """Show key ids, never a key."""
    from ipse.cli import keys as rings

    rings.show(as_json=as_json)


@keys.command("rotate")
def keys_rotate(
    ring: Annotated[RingName, typer.Option(help="Which ring gets a new key.")] = RingName.ALL,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="--no-wait only while no other process is running.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Add a new key and seal with it again.

    Safe to interrupt and to repeat.
    """
    from ipse.cli import keys as rings

    rings.rotate(ring.value, wait=wait, as_json=as_json)


@keys.command("rotate-signing")
def keys_rotate_signing(
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Destroy the old keys now: verdicts on their way become invalid.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sign verdicts with a new key.

    The old one stays published until its last verdict has expired.
    """
    from ipse.cli import keys as rings

    rings.rotate_signing(compromised=compromised, as_json=as_json)


@keys.command("new-master")
def keys_new_master(
    ring: Annotated[RingName, typer.Argument(help="ordinary or biometric")],
    to_uri: Annotated[
        str | None,
        typer.Option("--to-uri", help="A key of a key-management service: aws-kms://, gcp-kms://, hcvault://"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Wrap a ring with a new master key."""
    from ipse.cli import keys as rings

    rings.new_master(ring.value, to_uri=to_uri, as_json=as_json)


@face_index.command("build")
def face_index_build(as_json: Json = False) -> None:
    """Make the index and store what it lacks.

    Safe to repeat, and beside running servers. Needs PostgreSQL with pgvector.
    """
    from ipse.cli import face_index as index

    index.build(as_json=as_json)


@face_index.command("status")
def face_index_status(as_json: Json = False) -> None:
    """Show how many faces the index holds."""
    from ipse.cli import face_index as index

    index.status(as_json=as_json)


@face_index.command("drop")
def face_index_drop(as_json: Json = False) -> None:
    """Remove the index.

    Set IPSE_FACE_INDEX=memory for every process first; searches then run in memory.
    """
    from ipse.cli import face_index as index

    index.drop(as_json=as_json)


def run() -> None:
    """Entry point of the ``ipse`` script."""
    with explained():
        app()
    sys.exit(0)
