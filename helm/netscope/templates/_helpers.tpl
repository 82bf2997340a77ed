{{- define "netscope.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "netscope.fullname" -}}
{{- $name := include "netscope.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "netscope.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{/* The name that certificates hold and clients verify. */}}
{{- define "netscope.host" -}}
{{- printf "%s.%s.svc" (include "netscope.fullname" .) (include "netscope.namespace" .) -}}
{{- end -}}

{{/* What Services, monitors and the DaemonSet select by: never a version. */}}
{{- define "netscope.selectorLabels" -}}
app.kubernetes.io/name: {{ include "netscope.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "netscope.labels" -}}
{{- $own := dict "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
    "app.kubernetes.io/version" .Chart.AppVersion "app.kubernetes.io/component" "sensor" "app.kubernetes.io/managed-by" .Release.Service -}}
{{- merge (include "netscope.selectorLabels" . | fromYaml) $own (.Values.commonLabels | default dict) | toYaml -}}
{{- end -}}

{{/* metadata of an object: dict "root" $, and where they differ "name", "namespace", "labels", "annotations" */}}
{{- define "netscope.metadata" -}}
{{- $root := .root -}}
name: {{ .name | default (include "netscope.fullname" $root) }}
namespace: {{ .namespace | default (include "netscope.namespace" $root) }}
labels:
  {{- merge (include "netscope.labels" $root | fromYaml) (.labels | default dict) | toYaml | nindent 2 }}
{{- with merge dict (.annotations | default dict) ($root.Values.commonAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A map with some keys replaced, as YAML: dict "base" dict "over" dict. Not merge: that takes false, 0 and "" for nothing. */}}
{{- define "netscope.overlay" -}}
{{- $out := deepCopy .base -}}
{{- range $key, $value := .over }}{{ $_ := set $out $key $value }}{{ end -}}
{{- toYaml $out -}}
{{- end -}}

{{/* The container's security context. Capabilities that are added come to NET_RAW, and all others stay dropped. */}}
{{- define "netscope.securityContext" -}}
{{- $over := .Values.securityContext | default dict -}}
{{- $capabilities := dict "drop" (list "ALL") -}}
{{- range $key, $value := $over.capabilities }}{{ $_ := set $capabilities $key $value }}{{ end -}}
{{- $_ := set $capabilities "add" (concat (list "NET_RAW") ($capabilities.add | default list) | uniq) -}}
{{- $base := dict "allowPrivilegeEscalation" false "privileged" false "readOnlyRootFilesystem" true -}}
{{- include "netscope.overlay" (dict "base" $base "over" (merge (dict "capabilities" $capabilities) $over)) -}}
{{- end -}}

{{- define "netscope.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "netscope.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "netscope.image" -}}
{{- $image := .Values.image -}}
{{- $registry := (.Values.global | default dict).imageRegistry | default $image.registry -}}
{{- with $registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{- define "netscope.pullSecrets" -}}
{{- with concat ((.Values.global | default dict).imagePullSecrets | default list) (.Values.imagePullSecrets | default list) | uniq -}}
imagePullSecrets:
{{- range . }}
  - name: {{ kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "name") }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "netscope.tlsSecret" -}}
{{- if eq .Values.tls.mode "existingSecret" -}}
{{- .Values.tls.existingSecret -}}
{{- else if eq .Values.tls.mode "certManager" -}}
{{- printf "%s-tls" (include "netscope.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* The listeners with a port, as YAML: name -> {port, bind, host, loopback, tls, ours}. "host" is what probes ask when it is not
     the pod's own address; "ours" whether its certificate is that of the value tls. */}}
{{- define "netscope.listeners" -}}
{{- $ports := dict "metrics" 9873 "grpc" 9871 "web" 8080 -}}
{{- range $name := list "metrics" "grpc" "web" -}}
{{- $listener := get $.Values.config $name | default dict -}}
{{- $bind := $listener.bind | default "" | toString -}}
{{- if not (hasKey $listener "bind") }}{{ $bind = "127.0.0.1" }}{{ end -}}
{{- if and $listener.enabled (ne $bind "") }}
{{- $loopback := or (hasPrefix "127." $bind) (eq $bind "::1") -}}
{{- $anywhere := has $bind (list "node" "0.0.0.0" "::") -}}
{{- $own := $listener.tls | default dict -}}
{{- $tls := hasKey $own "enabled" | ternary $own.enabled (and (ne $.Values.tls.mode "none") (get $.Values.tls.listeners $name)) }}
{{ $name }}:
  port: {{ hasKey $listener "port" | ternary $listener.port (get $ports $name) | int }}
  bind: {{ $bind | quote }}
  host: {{ ternary "" $bind $anywhere | quote }}
  loopback: {{ $loopback }}
  tls: {{ $tls | default false }}
  ours: {{ and $tls (ne $.Values.tls.mode "none") (get $.Values.tls.listeners $name) (not $own.cert_path) | default false }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The settings file. What the chart knows better is put in: addresses that come by environment are left out, files of
     mounted Secrets are named. */}}
{{- define "netscope.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $listeners := include "netscope.listeners" . | fromYaml -}}
{{- range $name, $listener := $listeners -}}
{{- $section := get $config $name -}}
{{- if eq $listener.bind "node" }}{{ $_ := unset $section "bind" }}{{ end -}}
{{- if and (ne $.Values.tls.mode "none") (get $.Values.tls.listeners $name) -}}
{{- $tls := dict "enabled" true "cert_path" "/etc/netscope/tls/tls.crt" "key_path" "/etc/netscope/tls/tls.key" -}}
{{- if get $.Values.tls.clientCA $name }}{{ $_ := set $tls "client_ca_path" "/etc/netscope/tls/ca.crt" }}{{ end -}}
{{- $_ := set $section "tls" (include "netscope.overlay" (dict "base" $tls "over" $section.tls) | fromYaml) -}}
{{- end -}}
{{- if and $.Values.auth.existingSecret (ne $name "metrics") -}}
{{- $auth := dict -}}
{{- with $.Values.auth.tokensKey }}{{ $_ := set $auth "tokens_file" (printf "/etc/netscope/auth/%s" .) }}{{ end -}}
{{- if and $.Values.auth.passwordKey (eq $name "web") -}}
{{- $_ := set $auth "enabled" true -}}
{{- $_ := set $auth "username" $.Values.auth.username -}}
{{- $_ := set $auth "password_file" (printf "/etc/netscope/auth/%s" $.Values.auth.passwordKey) -}}
{{- end -}}
{{- $_ := set $section "auth" (include "netscope.overlay" (dict "base" $auth "over" $section.auth) | fromYaml) -}}
{{- end -}}
{{- if and (eq $name "web") (not $listener.loopback) -}}
{{- $_ := set $section "allowed_hosts" (append ($section.allowed_hosts | default list) (include "netscope.host" $) | uniq) -}}
{{- end -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* The Secret in the monitor's namespace whose ca.crt signed the metrics' certificate. The operator drops a monitor whose
     Secret it does not find, so none is named where that of tls is not, or is not asked. */}}
{{- define "netscope.monitorAuthority" -}}
{{- $own := .Values.monitor -}}
{{- $here := eq ($own.namespace | default (include "netscope.namespace" .)) (include "netscope.namespace" .) -}}
{{- if $own.caSecret -}}
{{- $own.caSecret -}}
{{- else if and (include "netscope.listeners" . | fromYaml).metrics.ours $here (not (include "netscope.verifiesItself" .)) -}}
{{- include "netscope.tlsSecret" . -}}
{{- end -}}
{{- end -}}

{{/* Whether monitor.tlsConfig tells by which CA, or that by none. */}}
{{- define "netscope.verifiesItself" -}}
{{- range $key := list "ca" "caFile" "insecureSkipVerify" -}}
{{- if hasKey ($.Values.monitor.tlsConfig | default dict) $key }}yes{{ end -}}
{{- end -}}
{{- end -}}
