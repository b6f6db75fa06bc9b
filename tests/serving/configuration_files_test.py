"""The files of savedmodels/serving: what TensorFlow Serving is started with."""

import re

import jsonschema
import yaml
from absl.testing import absltest

from nppnet_tf.inference import request_limits
from nppnet_tf.serving import model_sources
from nppnet_tf.serving import text_protos
from tests import shared

_FOLDER = shared.REPOSITORY / "savedmodels" / "serving"

# Flags that `tensorflow_model_server --help` lists.
_FLAGS = {
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "monitoring_config_file",
    "enable_batching",
    "batching_parameters_file",
    "rest_api_timeout_in_ms",
}

_TEXT = {"type": "string", "minLength": 1}
_METADATA = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": _TEXT, "labels": {"type": "object"}},
    "additionalProperties": False,
}


def _object(required, **properties):
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def _resource(version, kind, spec):
    return _object(
        ["apiVersion", "kind", "metadata", "spec"],
        apiVersion={"const": version},
        kind={"const": kind},
        metadata=_METADATA,
        spec=spec,
    )


_LABELS = {"type": "object", "additionalProperties": _TEXT}
_SELECTOR = _object(["matchLabels"], matchLabels=_LABELS)
_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_PROBE = {
    "type": "object",
    "properties": {
        "periodSeconds": {"type": "integer"},
        "failureThreshold": {"type": "integer"},
        "httpGet": _object(["path", "port"], path=_TEXT, port=_TEXT),
        "tcpSocket": _object(["port"], port=_TEXT),
    },
    "additionalProperties": False,
}
_CONTAINER = _object(
    ["name", "image", "args", "ports", "resources"],
    name=_TEXT,
    image={"type": "string", "pattern": r"^tensorflow/serving:\d+\.\d+\.\d+$"},
    args={"type": "array", "items": {"type": "string", "pattern": "^--\\w"}},
    ports={
        "type": "array",
        "items": _object(
            ["name", "containerPort"], name=_TEXT, containerPort=_PORT
        ),
    },
    startupProbe=_PROBE,
    readinessProbe=_PROBE,
    livenessProbe=_PROBE,
    lifecycle={"type": "object"},
    resources=_object(
        ["requests", "limits"],
        requests=_LABELS,
        limits=_object(["memory"], memory=_TEXT),
    ),
    securityContext={"type": "object"},
    volumeMounts={
        "type": "array",
        "items": _object(
            ["name", "mountPath"],
            name=_TEXT,
            mountPath=_TEXT,
            readOnly={"type": "boolean"},
        ),
    },
)
_POD = _object(
    ["containers", "volumes", "terminationGracePeriodSeconds"],
    automountServiceAccountToken={"const": False},
    terminationGracePeriodSeconds={"type": "integer"},
    securityContext={"type": "object"},
    containers={"type": "array", "items": _CONTAINER, "minItems": 1},
    volumes={"type": "array", "items": {"type": "object"}},
)
_KINDS = {
    "Deployment": _resource(
        "apps/v1",
        "Deployment",
        _object(
            ["selector", "template", "replicas"],
            replicas={"type": "integer", "minimum": 2},
            selector=_SELECTOR,
            strategy={"type": "object"},
            template=_object(
                ["metadata", "spec"],
                metadata={"type": "object", "required": ["labels"]},
                spec=_POD,
            ),
        ),
    ),
    "Service": _resource(
        "v1",
        "Service",
        _object(
            ["selector", "ports"],
            selector=_LABELS,
            clusterIP={"const": "None"},
            ports={
                "type": "array",
                "items": _object(
                    ["name", "port", "targetPort"],
                    name=_TEXT,
                    port=_PORT,
                    targetPort=_TEXT,
                ),
            },
        ),
    ),
    "HorizontalPodAutoscaler": _resource(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        _object(
            ["scaleTargetRef", "minReplicas", "maxReplicas", "metrics"],
            scaleTargetRef=_object(
                ["apiVersion", "kind", "name"],
                apiVersion={"const": "apps/v1"},
                kind={"const": "Deployment"},
                name=_TEXT,
            ),
            minReplicas={"type": "integer"},
            maxReplicas={"type": "integer"},
            metrics={"type": "array", "minItems": 1},
            behavior={"type": "object"},
        ),
    ),
    "PodDisruptionBudget": _resource(
        "policy/v1",
        "PodDisruptionBudget",
        _object(
            ["minAvailable", "selector"],
            minAvailable={"type": "integer"},
            selector=_SELECTOR,
        ),
    ),
}
_COMPOSE = _object(
    ["services"],
    services={
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": ["image", "command", "ports", "volumes"],
            "properties": {
                "image": _CONTAINER["properties"]["image"],
                "command": _CONTAINER["properties"]["args"],
                "ports": {
                    "type": "array",
                    "items": {
                        "type": "string",
                        # Reached from this machine alone.
                        "pattern": r"^127\.0\.0\.1:\d+:\d+$",
                    },
                },
            },
        },
    },
)


def _manifests():
    return [
        document
        for path in sorted((_FOLDER / "kubernetes").glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]


def _flags(words):
    return {re.match(r"--(\w+)", word)[1]: word for word in words}


class ProtoTest(absltest.TestCase):
    def test_batching_is_what_the_graph_takes(self):
        settings = text_protos.read_batching(_FOLDER / "batching.config")

        self.assertLessEqual(
            settings.max_batch_size, request_limits.MAX_PICTURES
        )
        self.assertEqual(settings.allowed_batch_sizes, (1, 2, 4, 8))

    def test_monitoring_is_where_the_manifests_look(self):
        found = text_protos.read(
            _FOLDER / "monitoring.config", text_protos.MONITORING
        )
        (deployment,) = (m for m in _manifests() if m["kind"] == "Deployment")
        annotations = deployment["spec"]["template"]["metadata"]["annotations"]

        self.assertTrue(found.prometheus_config.enable)
        self.assertEqual(
            annotations["prometheus.io/path"], found.prometheus_config.path
        )

    def test_models_are_two_versions_with_labels(self):
        folder = self.create_tempdir()
        path = folder.create_file(
            "models.config", (_FOLDER / "models.config").read_text()
        ).full_path
        for version in (1, 2):
            folder.mkdir(f"nppnet/{version}")
        (source,) = model_sources.read(path)

        self.assertEqual(source.candidates(), [2, 1])
        self.assertEqual(dict(source.labels), {"stable": 1, "canary": 2})


class ManifestTest(absltest.TestCase):
    def test_manifests_are_what_kubernetes_takes(self):
        manifests = _manifests()

        self.assertEqual({m["kind"] for m in manifests}, set(_KINDS))
        for manifest in manifests:
            with self.subTest(manifest["kind"]):
                jsonschema.validate(manifest, _KINDS[manifest["kind"]])

    def test_manifests_mean_each_other(self):
        by_kind = {m["kind"]: m for m in _manifests()}
        deployment = by_kind["Deployment"]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        ports = {p["name"]: p["containerPort"] for p in container["ports"]}

        self.assertEqual(ports, {"grpc": 8500, "rest": 8501})
        self.assertEqual(deployment["spec"]["selector"]["matchLabels"], labels)
        budget = by_kind["PodDisruptionBudget"]["spec"]
        self.assertEqual(budget["selector"]["matchLabels"], labels)
        scaler = by_kind["HorizontalPodAutoscaler"]["spec"]
        self.assertEqual(
            scaler["scaleTargetRef"]["name"], deployment["metadata"]["name"]
        )
        for manifest in _manifests():
            if manifest["kind"] == "Service":
                self.assertEqual(manifest["spec"]["selector"], labels)
                for port in manifest["spec"]["ports"]:
                    self.assertEqual(port["port"], ports[port["targetPort"]])

    def test_a_pod_stops_after_the_service_has_forgotten_it(self):
        (deployment,) = (m for m in _manifests() if m["kind"] == "Deployment")
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        wait = int(container["lifecycle"]["preStop"]["exec"]["command"][1])

        self.assertGreater(pod["terminationGracePeriodSeconds"], wait + 30)
        volumes = {volume["name"] for volume in pod["volumes"]}
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        self.assertEqual(volumes, mounts)

    def test_compose_and_manifests_start_the_same_program(self):
        compose = yaml.safe_load((_FOLDER / "compose.yaml").read_text())
        jsonschema.validate(compose, _COMPOSE)
        (deployment,) = (m for m in _manifests() if m["kind"] == "Deployment")
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        service = compose["services"]["serving"]

        self.assertEqual(service["image"], container["image"])
        self.assertEqual(_flags(service["command"]), _flags(container["args"]))
        self.assertContainsSubset(_flags(service["command"]), _FLAGS)
        for volume in service["volumes"]:
            self.assertTrue((_FOLDER / volume["source"]).is_dir())


if __name__ == "__main__":
    absltest.main()
