"""Stands in for the google provider: serves its schema to `terraform validate` and `plan`, and never calls Google.

    python stub_provider.py SCHEMA.json SOCKET [ANSWERS.json]

Runs in an environment of its own (stub_provider_requirements.txt), which has Terraform's plugin protocol. It prints the
value of TF_REATTACH_PROVIDERS once it listens, and ends when it is killed. What the real provider would only know after
it has made a thing is unknown here as well, but for account addresses, which it too knows beforehand.

ANSWERS.json: {"known_ids": true} makes up an id for everything, so that a plan shows which thing names which;
{"data": {type: {attribute: value}}} is what data sources find.

Source: the plugin protocol's tfplugin6.proto and go-plugin's handshake of reattached providers.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

ADDRESS = "hashicorp/google"
PROTOCOL = 6

msgpack: Any = import_module("msgpack")
grpc: Any = import_module("grpc")
wire: Any = import_module("tf.gen.tfplugin_pb2")
provider_service: Any = import_module("tf.gen.tfplugin_pb2_grpc")
controller: Any = import_module("tf.gen.grpc_controller_pb2")
controller_service: Any = import_module("tf.gen.grpc_controller_pb2_grpc")
stdio_service: Any = import_module("tf.gen.grpc_stdio_pb2_grpc")

UNKNOWN = msgpack.ExtType(0, b"\0")

Block = dict[str, Any]
Values = dict[str, Any]


def decoded(value: Any) -> Any:
    return msgpack.unpackb(value.msgpack, raw=False) if value.msgpack else None


def encoded(value: Any) -> Any:
    return wire.DynamicValue(msgpack=msgpack.packb(value))


def schema_of(block: Block) -> Any:
    return wire.Schema(version=0, block=_block(block))


def _block(block: Block) -> Any:
    made = wire.Schema.Block(version=0)
    for name, attribute in block["attributes"].items():
        flags = {flag: attribute.get(flag, False) for flag in ("required", "optional", "computed")}
        made.attributes.append(
            wire.Schema.Attribute(name=name, type=json.dumps(attribute["type"]).encode(), **flags),
        )
    nested = wire.Schema.NestedBlock
    for name, inner in block["block_types"].items():
        nesting = nested.SINGLE if inner["nesting_mode"] == "single" else nested.LIST
        limits = {"min_items": inner["min_items"], "max_items": inner["max_items"]}
        made.block_types.append(nested(type_name=name, block=_block(inner["block"]), nesting=nesting, **limits))
    return made


def planned(block: Block, values: Values, known: Values) -> Values:
    """`values` with what the provider will fill in: as `known` says, or not known yet."""
    for name, attribute in block["attributes"].items():
        if attribute.get("computed") and values.get(name) is None:
            values[name] = known.get(name, UNKNOWN)
    for name, inner in block["block_types"].items():
        found = values.get(name)
        for each in found if isinstance(found, list) else []:
            if isinstance(each, dict):
                planned(inner["block"], each, {})
    return values


class Provider(provider_service.ProviderServicer):  # type: ignore[misc]  # the base is loaded at run time
    def __init__(self, schema: dict[str, Any], answers: dict[str, Any]) -> None:
        self._schema = schema
        self._data: dict[str, Values] = answers.get("data", {})
        self._known_ids: bool = answers.get("known_ids", False)
        self._project = ""

    def GetMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802  # the protocol's names, here and below
        kinds = wire.GetMetadata
        return kinds.Response(
            resources=[kinds.ResourceMetadata(type_name=name) for name in self._schema["resource"]],
            data_sources=[kinds.DataSourceMetadata(type_name=name) for name in self._schema["data"]],
        )

    def GetProviderSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
        return wire.GetProviderSchema.Response(
            provider=schema_of(self._schema["provider"]),
            resource_schemas={name: schema_of(block) for name, block in self._schema["resource"].items()},
            data_source_schemas={name: schema_of(block) for name, block in self._schema["data"].items()},
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return wire.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return wire.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return wire.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._project = decoded(request.config).get("project") or ""
        return wire.ConfigureProvider.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:  # noqa: N802
        return wire.UpgradeResourceState.Response(upgraded_state=wire.DynamicValue(json=request.raw_state.json))

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        return wire.ReadResource.Response(new_state=request.current_state)

    def ReadDataSource(self, request: Any, context: Any) -> Any:  # noqa: N802
        values, found = decoded(request.config), self._data.get(request.type_name, {})
        for name, attribute in self._schema["data"][request.type_name]["attributes"].items():
            if attribute.get("computed") and values.get(name) is None:
                values[name] = found.get(name)
        return wire.ReadDataSource.Response(state=encoded(values))

    def PlanResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802
        proposed = decoded(request.proposed_new_state)
        if proposed is None or decoded(request.prior_state) is not None:
            return wire.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        block = self._schema["resource"][request.type_name]
        known = self._known(request.type_name, proposed)
        return wire.PlanResourceChange.Response(planned_state=encoded(planned(block, proposed, known)))

    def StopProvider(self, request: Any, context: Any) -> Any:  # noqa: N802
        return wire.StopProvider.Response()

    def _known(self, kind: str, values: Values) -> Values:
        if kind == "google_service_account":
            email = f"{values['account_id']}@{self._project}.iam.gserviceaccount.com"
            name = f"projects/{self._project}/serviceAccounts/{email}"
            return {"email": email, "member": f"serviceAccount:{email}", "name": name, "id": name}
        if not self._known_ids:
            return {}
        called = next((values[key] for key in ("name", "secret_id", "repository_id") if values.get(key)), None)
        return {"id": f"{kind}/{called}"} if isinstance(called, str) else {}


class Controller(controller_service.GRPCControllerServicer):  # type: ignore[misc]  # the base is loaded at run time
    def Shutdown(self, request: Any, context: Any) -> Any:  # noqa: N802
        return controller.Empty()


class Stdio(stdio_service.GRPCStdioServicer):  # type: ignore[misc]  # the base is loaded at run time
    def StreamStdio(self, request: Any, context: Any) -> Any:  # noqa: N802
        return iter(())


def main(schema_file: str, socket: str, answers_file: str | None = None) -> None:
    schema = json.loads(Path(schema_file).read_text())
    answers = json.loads(Path(answers_file).read_text()) if answers_file else {}
    server = grpc.server(ThreadPoolExecutor(8))
    provider_service.add_ProviderServicer_to_server(Provider(schema, answers), server)
    controller_service.add_GRPCControllerServicer_to_server(Controller(), server)
    stdio_service.add_GRPCStdioServicer_to_server(Stdio(), server)
    server.add_insecure_port(f"unix://{socket}")
    server.start()
    where = {"Network": "unix", "String": socket}
    meeting = {"Protocol": "grpc", "ProtocolVersion": PROTOCOL, "Pid": os.getpid(), "Test": True, "Addr": where}
    print(json.dumps({ADDRESS: meeting}), flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
