#!/usr/bin/env python3
"""Holds launch/kubernetes/mpijob.yaml against the fields of Kubeflow's MPIJob v2beta1 and of Kubernetes' pods.

  Tests/Kubernetes/check.py [FILE]      needs PyYAML

A field that the schema below does not know is refused: the operator would drop it without a word. Sources of the names:
the MPI operator's API reference (kubeflow.org/v2beta1, MPIJobSpec) and Kubernetes' API reference (core/v1, PodSpec).
The schema has what such a file may sensibly use, not all that there is.
"""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Text(str):
    """A text that matches a pattern."""


def one_of(*words):
    return Text("|".join(map(re.escape, words)))


NAME = Text(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
QUANTITY = Text(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
PATH = Text(r"/.*")
ANY = Text(r"(?s).*")

RESOURCES = {"cpu": QUANTITY, "memory": QUANTITY}
SECURITY = {"runAsUser": int, "runAsGroup": int, "fsGroup": int, "runAsNonRoot": bool}
CONTAINER = {
    "name!": NAME, "image!": ANY, "imagePullPolicy": one_of("Always", "IfNotPresent", "Never"),
    "command": [ANY], "args": [ANY], "workingDir": PATH,
    "env": [{"name!": Text(r"[A-Za-z_][A-Za-z0-9_]*"), "value": ANY}],
    "resources": {"requests": RESOURCES, "limits": RESOURCES},
    "volumeMounts": [{"name!": NAME, "mountPath!": PATH, "readOnly": bool, "subPath": ANY}],
    "securityContext": SECURITY,
}
VOLUME = {
    "name!": NAME,
    "persistentVolumeClaim": {"claimName!": NAME, "readOnly": bool},
    "emptyDir": {"medium": one_of("Memory", ""), "sizeLimit": QUANTITY},
    "configMap": {"name!": NAME},
}
POD = {
    "containers!": [CONTAINER], "initContainers": [CONTAINER], "volumes": [VOLUME], "securityContext": SECURITY,
    "terminationGracePeriodSeconds": int, "nodeSelector": {"*": ANY}, "serviceAccountName": NAME, "hostNetwork": bool,
}
REPLICAS = {
    "replicas!": int, "restartPolicy": one_of("Never", "OnFailure"),
    "template!": {"metadata": {"labels": {"*": ANY}, "annotations": {"*": ANY}}, "spec!": POD},
}
MPIJOB = {
    "apiVersion!": one_of("kubeflow.org/v2beta1"), "kind!": one_of("MPIJob"),
    "metadata!": {"name!": NAME, "namespace": NAME, "labels": {"*": ANY}, "annotations": {"*": ANY}},
    "spec!": {
        "slotsPerWorker": int, "runLauncherAsWorker": bool, "sshAuthMountPath": PATH,
        "launcherCreationPolicy": one_of("AtStartup", "WaitForWorkersReady"),
        "mpiImplementation": one_of("OpenMPI", "Intel", "MPICH"),
        "runPolicy": {
            "cleanPodPolicy": one_of("None", "Running", "All"), "ttlSecondsAfterFinished": int,
            "activeDeadlineSeconds": int, "backoffLimit": int, "suspend": bool,
        },
        "mpiReplicaSpecs!": {"Launcher!": REPLICAS, "Worker!": REPLICAS},
    },
}


def mistakes(value, schema, path):
    """What is wrong, a line each."""
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            return [f"{path}: should be a mapping, is {value!r}"]
        known = {key.rstrip("!"): part for key, part in schema.items()}
        found = [f"{path}: {key} is missing" for key in (k[:-1] for k in schema if k.endswith("!")) if key not in value]
        for key, part in value.items():
            if key in known or "*" in known:
                found += mistakes(part, known.get(key, known.get("*")), f"{path}.{key}")
            else:
                found.append(f"{path}: there is no field {key!r}")
        return found
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [f"{path}: should be a list, is {value!r}"]
        return [line for i, part in enumerate(value) for line in mistakes(part, schema[0], f"{path}[{i}]")]
    if isinstance(schema, Text):
        if not isinstance(value, str):
            return [f"{path}: should be a text (in quotes?), is {value!r}"]
        return [] if re.fullmatch(schema, value) else [f"{path}: {value!r} does not match {schema}"]
    return [] if type(value) is schema else [f"{path}: should be {schema.__name__}, is {value!r}"]


def contradictions(job):
    """What fits the schema and would not run."""
    spec, found = job["spec"], []
    launcher, worker = (spec["mpiReplicaSpecs"][name] for name in ("Launcher", "Worker"))
    words = launcher["template"]["spec"]["containers"][0]["args"]
    ranks, places = int(words[words.index("-np") + 1]), worker["replicas"] * spec["slotsPerWorker"]
    if ranks != places:
        found.append(f"-np {ranks}, but {worker['replicas']} workers of {spec['slotsPerWorker']} slots")
    if launcher["replicas"] != 1:
        found.append("there is one launcher")
    for name, replicas in (("Launcher", launcher), ("Worker", worker)):
        pod = replicas["template"]["spec"]
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        mounts = {mount["name"] for container in pod["containers"] for mount in container.get("volumeMounts", [])}
        if volumes != mounts:
            found.append(f"{name}: volumes {sorted(volumes)}, mounts {sorted(mounts)}")
        for volume in pod.get("volumes", []):
            if len(volume) != 2:
                found.append(f"{name}: the volume {volume['name']} should be of one kind")
        if pod["securityContext"]["runAsUser"] != 1000:
            found.append(f"{name}: the image's user mpi is 1000")
    image = (ROOT / "launch/container/Containerfile").read_text()
    for words in (spec["sshAuthMountPath"], "/home/mpi/sshd_config"):
        if words not in image:
            found.append(f"the image knows nothing of {words}")
    return found


def main():
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "launch/kubernetes/mpijob.yaml"
    jobs = list(yaml.safe_load_all(path.read_text()))
    found = [line for job in jobs for line in mistakes(job, MPIJOB, "")]
    found = found or [line for job in jobs for line in contradictions(job)]
    for line in found:
        print(f"{path.name}: {line}")
    print(f"{path.name}: {len(found)} mistakes in {len(jobs)} job")
    return 1 if found or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
