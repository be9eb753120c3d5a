{{- /* Environment of one service: what all need, what it alone needs, then its settings by name. */ -}}
{{- define "frameyard.env" -}}
{{- $values := .root.Values -}}
{{- $isEdge := eq .name "gateway" }}
- name: FRAMEYARD_{{ $isEdge | ternary "HTTP" "RPC" }}_LISTEN
  value: "[::]:8080"
- name: FRAMEYARD_METRICS_LISTEN
  value: "[::]:9090"
- name: FRAMEYARD_NATS_URL
  value: {{ $values.nats.url | quote }}
- name: FRAMEYARD_S3_ENDPOINT
  value: {{ $values.s3.endpoint | quote }}
- name: FRAMEYARD_S3_BUCKET
  value: {{ $values.s3.bucket | quote }}
- name: FRAMEYARD_S3_REGION
  value: {{ $values.s3.region | quote }}
- name: FRAMEYARD_S3_SECURE
  value: {{ $values.s3.secure | quote }}
- name: FRAMEYARD_OTLP_ENDPOINT
  value: {{ $values.telemetry.otlpEndpoint | quote }}
{{- if not $isEdge }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_DATABASE_URL" "secret" $values.database.existingSecret "key" .name) }}
{{- end }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_S3_ACCESS_KEY" "secret" $values.s3.existingSecret "key" $values.s3.accessKeyKey) }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_S3_SECRET_KEY" "secret" $values.s3.existingSecret "key" $values.s3.secretKeyKey) }}
{{- if $values.nats.existingSecret }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_NATS_TOKEN" "secret" $values.nats.existingSecret "key" $values.nats.tokenKey) }}
{{- end }}
{{- if eq .name "identity" }}
{{- range $env, $key := dict "FRAMEYARD_KEY_ENCRYPTION_KEY" "key-encryption-key" "FRAMEYARD_ADMIN_PASSWORD" "admin-password" "FRAMEYARD_SERVICE_ACCOUNTS" "service-accounts" }}
{{ include "frameyard.secretEnv" (dict "env" $env "secret" $values.identity.existingSecret "key" $key) }}
{{- end }}
{{- else }}
- name: FRAMEYARD_IDENTITY_ADDRESS
  value: {{ include "frameyard.address" (dict "root" .root "name" "identity") | quote }}
{{- end }}
{{- if has .name (list "task" "media-ingest" "chunking") }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_GRANT_KEYS" "secret" $values.grants.existingSecret "key" "grant-keys") }}
{{- end }}
{{- if eq .name "export" }}
{{- range $callee := list "task" "media-ingest" "chunking" }}
- name: FRAMEYARD_{{ $callee | replace "-" "_" | upper }}_ADDRESS
  value: {{ include "frameyard.address" (dict "root" $.root "name" $callee) | quote }}
{{- end }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_SERVICE_SECRET" "secret" $values.serviceAccounts.existingSecret "key" .name) }}
{{- end }}
{{- if $isEdge }}
{{- range $callee := list "task" "media-ingest" "chunking" "export" "webhook" "repo-sync" }}
- name: FRAMEYARD_{{ $callee | replace "-" "_" | upper }}_ADDRESS
  value: {{ include "frameyard.address" (dict "root" $.root "name" $callee) | quote }}
{{- end }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_SERVICE_SECRET" "secret" $values.serviceAccounts.existingSecret "key" .name) }}
{{- end }}
{{- if eq .name "webhook" }}
- name: FRAMEYARD_TASK_ADDRESS
  value: {{ include "frameyard.address" (dict "root" .root "name" "task") | quote }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_KEY_ENCRYPTION_KEY" "secret" $values.webhooks.existingSecret "key" "key-encryption-key") }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_SERVICE_SECRET" "secret" $values.serviceAccounts.existingSecret "key" .name) }}
{{- end }}
{{- if eq .name "repo-sync" }}
{{- range $callee := list "task" "export" }}
- name: FRAMEYARD_{{ $callee | upper }}_ADDRESS
  value: {{ include "frameyard.address" (dict "root" $.root "name" $callee) | quote }}
{{- end }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_KEY_ENCRYPTION_KEY" "secret" $values.repositories.existingSecret "key" "key-encryption-key") }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_SERVICE_SECRET" "secret" $values.serviceAccounts.existingSecret "key" .name) }}
{{- end }}
{{- if eq .name "chunking" }}
{{ include "frameyard.secretEnv" (dict "env" "FRAMEYARD_SERVICE_SECRET" "secret" $values.serviceAccounts.existingSecret "key" .name) }}
- name: FRAMEYARD_ADVERTISED_HOST
  valueFrom:
    fieldRef: {fieldPath: status.podIP}
{{- end }}
{{- $shared := $isEdge | ternary (pick $values.settings "log_level" "log_format" "drain_timeout_s") $values.settings }}
{{- range $field, $value := merge (dict) .service.settings $shared }}
- name: FRAMEYARD_{{ $field | upper }}
  value: {{ include "frameyard.number" $value | quote }}
{{- end }}
{{- end }}

{{- /* YAML knows floats only; printed as such, a large whole number would come out as 2.68e+10. */ -}}
{{- define "frameyard.number" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end }}
