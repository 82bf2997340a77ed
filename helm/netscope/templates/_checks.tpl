{{/* What no schema can say in words that help: each ends the rendering with a sentence. */}}
{{- define "netscope.check" -}}
{{- include "netscope.checkWhole" . -}}
{{- $listeners := include "netscope.listeners" . | fromYaml -}}
{{- $seen := dict -}}
{{- range $name, $listener := $listeners -}}
{{- range $.Values.extraEnv -}}
{{- if and (eq $listener.bind "node") (eq .name (printf "NETSCOPE_%s_BIND" (upper $name))) -}}
{{- fail (printf "extraEnv sets %s, which config.%s.bind node sets as well: say the address there only, for probes and Services are made by it" .name $name) -}}
{{- end -}}
{{- end -}}
{{- $port := toString $listener.port -}}
{{- if eq $port "0" -}}
{{- fail (printf "config.%s.port is 0: a pod's port has to be known, name one" $name) -}}
{{- end -}}
{{- if hasKey $seen $port -}}
{{- fail (printf "config.%s.port and config.%s.port are both %s: give one of them another port" (get $seen $port) $name $port) -}}
{{- end -}}
{{- $_ := set $seen $port $name -}}
{{- end -}}
{{- include "netscope.checkListeners" (dict "root" . "listeners" $listeners) -}}
{{- include "netscope.checkMonitor" (dict "root" . "metrics" $listeners.metrics) -}}
{{- include "netscope.checkSecrets" . -}}
{{- include "netscope.checkOutputs" . -}}
{{- end -}}

{{/* Null takes the chart's own value away: what nothing can be made without. */}}
{{- define "netscope.checkWhole" -}}
{{- range $path := list "image" "image.repository" "config" "tls" "tls.mode" "tls.listeners" "tls.clientCA" "tls.certManager"
    "tls.certManager.issuerRef" "auth" "monitor" "monitor.kind" "prometheusRule" "dashboard" "service" "serviceAccount" "tests" -}}
{{- $node := $.Values -}}
{{- range $key := splitList "." $path }}{{ $node = get $node $key }}{{ end -}}
{{- if and (not $node) (not (kindIs "map" $node)) -}}
{{- fail (printf "%s is null, or has nothing but comments below it, which takes the chart's own values away: leave it out of your values" $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "netscope.checkListeners" -}}
{{- $root := .root -}}
{{- if not .listeners.metrics -}}
{{- fail "config.metrics has to be enabled and to have an address, for the kubelet's probes ask there: where nobody shall scrape, set config.metrics.bind to 127.0.0.1" -}}
{{- end -}}
{{- $metrics := $root.Values.config.metrics -}}
{{- if and ($metrics.tls | default dict).client_ca_path (not ($metrics.auth | default dict).tokens_file) -}}
{{- fail "config.metrics.tls.client_ca_path has every client show a certificate, and the kubelet's probes have none: leave it out, or name tokens in config.metrics.auth.tokens_file as well, so that a certificate is one way of two and probes need neither" -}}
{{- end -}}
{{- range $name := list "grpc" "web" -}}
{{- $listener := get $.listeners $name -}}
{{- $section := get $root.Values.config $name | default dict -}}
{{- if and $listener (not $section.insecure) -}}
{{- $own := $section.auth | default dict -}}
{{- $callers := or (and $root.Values.auth.existingSecret (or $root.Values.auth.tokensKey (and (eq $name "web") $root.Values.auth.passwordKey)))
    (get $root.Values.tls.clientCA $name) $own.tokens_file $own.enabled ($section.tls | default dict).client_ca_path -}}
{{- if and (not $listener.loopback) (not (and $listener.tls $callers)) -}}
{{- fail (printf "config.%s.bind is %s: beyond loopback it needs TLS (tls.mode) and callers that are known (auth.existingSecret or tls.clientCA.%s), or config.%s.insecure: true where everybody in reach may ask" $name $listener.bind $name $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A monitor that would be made and bring nothing: dict "root" $ "metrics" the listener */}}
{{- define "netscope.checkMonitor" -}}
{{- $root := .root -}}
{{- $own := $root.Values.monitor -}}
{{- if ne $own.kind "none" -}}
{{- if .metrics.loopback -}}
{{- fail (printf "monitor.kind is %s, but nobody can scrape config.metrics.bind %s: set it to node" $own.kind .metrics.bind) -}}
{{- end -}}
{{- if and (eq $own.kind "service") (not $root.Values.service.enabled) -}}
{{- fail "monitor.kind is service, but service.enabled is false, so that there is nothing to find: set it to true, or monitor.kind to pod" -}}
{{- end -}}
{{- if and .metrics.tls (not .metrics.ours) (not $own.caSecret) (not $own.tlsConfig) -}}
{{- fail "Prometheus knows no CA of the metrics' certificate, which is another than that of tls: name its Secret in monitor.caSecret, or say in monitor.tlsConfig how it is verified" -}}
{{- end -}}
{{- if and .metrics.ours (not (include "netscope.monitorAuthority" $root)) (not (include "netscope.verifiesItself" $root)) -}}
{{- fail (printf "monitor.namespace is %s, where the CA of the metrics' certificate is not: name a Secret there with ca.crt in monitor.caSecret, or say in monitor.tlsConfig how it is verified" $own.namespace) -}}
{{- end -}}
{{- $auth := ($root.Values.config.metrics | default dict).auth | default dict -}}
{{- $mutual := hasKey (($root.Values.config.metrics | default dict).tls | default dict) "client_ca_path" -}}
{{- $shown := and $mutual ($own.tlsConfig | default dict).cert -}}
{{- if and (or $auth.enabled $auth.tokens_file) (not $own.credentials) (not $shown) -}}
{{- fail (printf "config.metrics.auth asks for credentials, and monitor.kind %s has none: name them in monitor.credentials (basicAuth or authorization)%s" $own.kind ($mutual | ternary ", or a certificate in monitor.tlsConfig (cert and keySecret)" "")) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "netscope.checkSecrets" -}}
{{- if and (eq .Values.tls.mode "existingSecret") (not .Values.tls.existingSecret) -}}
{{- fail "tls.mode is existingSecret: name the Secret with tls.crt and tls.key in tls.existingSecret" -}}
{{- end -}}
{{- if and (eq .Values.tls.mode "certManager") (not .Values.tls.certManager.issuerRef.name) -}}
{{- fail "tls.mode is certManager: name the issuer in tls.certManager.issuerRef.name" -}}
{{- end -}}
{{- if eq .Values.tls.mode "certManager" -}}
{{- $used := false -}}
{{- range $name, $listener := include "netscope.listeners" . | fromYaml -}}
{{- if $listener.ours }}{{ $used = true }}{{ end -}}
{{- end -}}
{{- if not $used -}}
{{- fail "tls.mode is certManager, but no port would use the certificate: set tls.listeners.metrics, config.grpc.bind or config.web.enabled, or tls.mode to none" -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.tls.mode "none") (or .Values.tls.clientCA.grpc .Values.tls.clientCA.web) -}}
{{- fail "tls.clientCA takes the ca.crt of the certificate's Secret: set tls.mode" -}}
{{- end -}}
{{- range $name := list "web" "metrics" -}}
{{- if ((get $.Values.config $name | default dict).auth | default dict).password -}}
{{- fail (printf "config.%s.auth.password would lie in a ConfigMap for all to read: use auth.existingSecret, or extraEnv with NETSCOPE_%s_AUTH_PASSWORD and valueFrom" $name (upper $name)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Files and sockets go to mounted volumes: the root is read-only. One output at a time can be standard output. */}}
{{- define "netscope.checkOutputs" -}}
{{- $output := .Values.config.output | default dict -}}
{{- $standard := list -}}
{{- range $key := list "write_pcap" "export_json" "export_csv" "expired_flows_jsonl" "expired_flows_csv" "alerts_jsonl" "summary_json" -}}
{{- $path := get $output $key | default "" | toString -}}
{{- if has $path (list "-" "/dev/stdout" "/dev/fd/1" "/proc/self/fd/1") -}}
{{- $standard = append $standard (printf "config.output.%s" $key) -}}
{{- else if not (hasPrefix "/dev/" $path) -}}
{{- include "netscope.checkPath" (dict "root" $ "key" (printf "config.output.%s" $key) "path" $path
    "hint" "add a volume by extraVolumes and extraVolumeMounts, or take - for standard output") -}}
{{- end -}}
{{- end -}}
{{- if gt (len $standard) 1 -}}
{{- fail (printf "%s all go to standard output, which one at a time may have: give the others a file, or set what is not needed to \"\"" (join " and " $standard)) -}}
{{- end -}}
{{- range $name := list "grpc" "web" "metrics" -}}
{{- $section := get $.Values.config $name | default dict -}}
{{- if $section.enabled -}}
{{- include "netscope.checkPath" (dict "root" $ "key" (printf "config.%s.socket" $name) "path" ($section.socket | default "")
    "hint" "take one below /run/netscope/, or add a volume by extraVolumes and extraVolumeMounts") -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether a path lies in what is mounted to be written: dict "root" $ "key" "path" "hint" */}}
{{- define "netscope.checkPath" -}}
{{- $path := .path -}}
{{- $held := eq $path "" -}}
{{- if hasSuffix ".socket" .key }}{{ $held = or $held (hasPrefix "/run/netscope/" $path) }}{{ end -}}
{{- range .root.Values.extraVolumeMounts -}}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) $path }}{{ $held = true }}{{ end -}}
{{- end -}}
{{- if not $held -}}
{{- fail (printf "%s is %s, where nothing is mounted, and the root is read-only: %s" .key $path .hint) -}}
{{- end -}}
{{- end -}}
