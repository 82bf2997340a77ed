"""The Helm chart and the tools that judge it, which Go builds once, through the module proxy, into a cache of the user."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import sensor
import yaml

CHART = sensor.ROOT / "helm" / "netscope"
CI_VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
FOLDER = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "netscope-tools"
# The Kubernetes that Helm 3 takes for granted without a cluster is told by its linker; unset it is one of long ago.
KUBERNETES = " ".join(f"-X helm.sh/helm/v3/pkg/{package}.k8sVersion{part}" for package in ("chartutil", "lint/rules")
                      for part in ("Major=1", "Minor=33"))
TOOLS = {  # module and command, version, what the linker and what the compiler are told
    # The last one whose command is of the module itself; what it knows of Certificates is that of today's.
    "cert-manager": ("github.com/cert-manager/cert-manager/cmd/controller", "v1.11.5", "", ""),
    "helm3": ("helm.sh/helm/v3/cmd/helm", "v3.22.0", KUBERNETES, ""),
    "helm4": ("helm.sh/helm/v4/cmd/helm", "v4.3.1", "", ""),
    "operator": ("github.com/prometheus-operator/prometheus-operator/cmd/operator", "v0.85.0", "", ""),
    # Debian's has no discovery by Kubernetes, by which all that the operator writes goes.
    "prometheus": ("github.com/prometheus/prometheus/cmd/prometheus", "v0.310.0", "", "remove_all_sd,enable_kubernetes_sd"),
    "unittest": ("github.com/helm-unittest/helm-unittest/cmd/helm-unittest", "v1.1.2", KUBERNETES, ""),
}
HELMS = ("helm3", "helm4")
RELEASE, NAMESPACE = "netscope", "observe"
# Users' plugins and repositories change nothing.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))}


def tool(name):
    """The path of a tool, built if need be; skips the test where Go cannot."""
    module, version, linker, tags = TOOLS[name]
    path = FOLDER / f"{name}-{version}"
    if path.exists():
        return str(path)
    go = compiler(module)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        try:
            build(go, f"{module}@{version}", ("-ldflags", f"-s -w {linker}", "-tags", tags), Path(folder))
        except subprocess.CalledProcessError as error:
            raise unittest.SkipTest(f"Go does not build {module}@{version}: {error.stderr[-300:]}") from None
        (Path(folder) / "built").rename(path)
    return str(path)


def compiler(module):
    """Go's command; skips the test where there is none."""
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        raise unittest.SkipTest(f"needs Go, for {module}")
    return go


def definitions(name, folder):
    """The kinds that a tool brings, name -> YAML, out of a folder of its module; without the labels that Helm would fill in."""
    module, version, *_ = TOOLS[name]
    go = compiler(module)
    texts = [re.sub(r"^  labels:\n(?:    .*\n)+", "", path.read_text(), flags=re.MULTILINE) for path in
             sorted((module_folder(go, f"{module.partition('/cmd/')[0]}@{version}") / folder).glob("*.yaml"))]
    return {re.search(r"^  name: (\S+)", text, re.MULTILINE)[1]: text for text in texts if "kind: CustomResourceDefinition" in text}


def module_folder(go, module):
    """Where Go keeps the files of a module, fetched if need be."""
    done = subprocess.run([go, "mod", "download", "-json", module], cwd="/", capture_output=True, text=True, check=True,
                          env=os.environ | {"GOFLAGS": "-mod=mod"})
    return Path(json.loads(done.stdout)["Dir"])


def build(go, package, flags, folder):
    """From a copy of the module: `go install` takes none whose go.mod replaces others. What is replaced by a folder that is a
    module of its own comes by its version."""
    def run(*words, cwd):
        return subprocess.run([go, *words], cwd=cwd, capture_output=True, text=True, check=True,
                              env=os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOWORK": "off"}).stdout

    module, path, version = re.fullmatch("(.*)/cmd/(.*)(@.*)", package).groups()
    shutil.copytree(module_folder(go, module + version), folder / "source", copy_function=shutil.copyfile)
    for part in (folder / "source").rglob("*"):
        part.chmod(0o755 if part.is_dir() else 0o644)
    for replaced in json.loads(run("mod", "edit", "-json", cwd=folder / "source")).get("Replace") or ():
        if "Version" not in replaced["New"] and not (folder / "source" / replaced["New"]["Path"] / "go.mod").exists():
            run("mod", "edit", f"-dropreplace={replaced['Old']['Path']}", cwd=folder / "source")
    run("build", "-trimpath", *flags, "-o", folder / "built", f"./cmd/{path}", cwd=folder / "source")


class OnceLoader(yaml.SafeLoader):
    """YAML in which no key stands twice."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            raise AssertionError(f"line {node.start_mark.line}: {twice[0]} stands twice")
        return super().construct_mapping(node, deep)


OnceLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG,
                           lambda loader, node: loader.construct_mapping(node, deep=True))


def helm(name, *words, code=0):
    """Runs it and returns what it said on both streams; the code is checked."""
    done = subprocess.run([tool(name), *map(str, words)], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    if (done.returncode != 0) != (code != 0):
        raise AssertionError(f"{name} {words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout if code == 0 else done.stderr


def template(*words, name="helm3", release=RELEASE, code=0):
    """What `helm template` prints."""
    return helm(name, "template", release, CHART, "--namespace", NAMESPACE, *words, code=code)


def objects(text):
    """(kind, name) -> object."""
    found = {}
    for item in yaml.load_all(text, OnceLoader):
        if item is not None:
            key = item["kind"], item["metadata"]["name"]
            assert key not in found, f"{key} is there twice"
            found[key] = item
    return found


def sets(*values):
    return [word for value in values for word in ("--set", value)]


def render(*words, **options):
    return objects(template(*words, **options))


def only(found, kind):
    """The one object of a kind."""
    (item,) = [value for (k, _), value in found.items() if k == kind]
    return item
