{{- define "pubsub-dashboard.name" -}}
{{- printf "%s-pubsub-dashboard" .Release.Name | replace "pubsub-dashboard-pubsub-dashboard" "pubsub-dashboard" | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "pubsub-dashboard.selector" -}}
app.kubernetes.io/name: pubsub-dashboard
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "pubsub-dashboard.labels" -}}
{{ include "pubsub-dashboard.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{- define "pubsub-dashboard.secret" -}}
{{- .Values.existingSecret | default (include "pubsub-dashboard.name" .) -}}
{{- end -}}

{{- define "pubsub-dashboard.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* What cannot work is refused here, with the reason, and not when the pods start. */ -}}
{{- define "pubsub-dashboard.check" -}}
{{- $secret := .Values.secret -}}
{{- if not .Values.existingSecret -}}
{{- if not (or $secret.DASHBOARD_TOKEN .Values.env.PROXY_USER_HEADER (eq (toString .Values.env.AUTH) "none")) -}}
{{- fail "set secret.DASHBOARD_TOKEN, or existingSecret, or env.PROXY_USER_HEADER, or env.AUTH=none in a trusted network" -}}
{{- end -}}
{{- if and .Values.cluster.enabled (not (and $secret.CLUSTER_URL $secret.CLUSTER_SECRET)) -}}
{{- fail "cluster.enabled needs secret.CLUSTER_URL and secret.CLUSTER_SECRET, or existingSecret" -}}
{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled (not (hasKey $secret .Values.metrics.serviceMonitor.tokenKey)) -}}
{{- fail (printf "metrics.serviceMonitor needs secret.%s, or existingSecret" .Values.metrics.serviceMonitor.tokenKey) -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := .Values.env -}}
{{- if not (or (kindIs "string" $value) (kindIs "bool" $value)) -}}
{{- fail (printf "env.%s must be text: put its value in quotes" $key) -}}
{{- end -}}
{{- if has $key (list "HOST" "PORT" "STATE_DIR") -}}
{{- fail (printf "env.%s cannot be set: the chart's ports, probes and volume depend on it" $key) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (not .Values.cluster.enabled) -}}
{{- fail "autoscaling.enabled needs cluster.enabled: instances that do not know each other count wrong" -}}
{{- end -}}
{{- if and .Values.persistence.enabled .Values.cluster.enabled -}}
{{- fail "persistence.enabled is for one instance: a cluster remembers its servers in Redis" -}}
{{- end -}}
{{- end -}}
