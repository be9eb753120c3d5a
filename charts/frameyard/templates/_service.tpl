{{- /* All objects of one service. Liveness asks the process only, readiness asks what it depends on too. */ -}}
{{- define "frameyard.service" -}}
{{- $isEdge := eq .name "gateway" -}}
{{- $port := $isEdge | ternary "http" "grpc" -}}
{{- $full := printf "%s-%s" .root.Release.Name .name -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ $full }}
  labels: {{- include "frameyard.labels" . | nindent 4 }}
spec:
  {{- if not $isEdge }}
  # Headless: gRPC clients balance over the pods themselves.
  clusterIP: None
  {{- end }}
  selector: {{- include "frameyard.labels" . | nindent 4 }}
  ports:
    - {name: {{ $port }}, port: 8080, targetPort: {{ $port }}, appProtocol: {{ $isEdge | ternary "http" "kubernetes.io/h2c" }}}
    - {name: metrics, port: 9090, targetPort: metrics}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $full }}
  labels: {{- include "frameyard.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "frameyard.labels" . | nindent 6 }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $full }}
  labels: {{- include "frameyard.labels" . | nindent 4 }}
spec:
  replicas: {{ .service.replicas }}
  selector:
    matchLabels: {{- include "frameyard.labels" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "frameyard.labels" . | nindent 8 }}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "9090"
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "frameyard.labels" . | nindent 14 }}
      containers:
        - name: {{ .name }}
          image: {{ include "frameyard.image" .root }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: ["yard.{{ .name | replace "-" "_" }}"]
          env: {{- include "frameyard.env" . | nindent 12 }}
          ports:
            - {name: {{ $port }}, containerPort: 8080}
            - {name: metrics, containerPort: 9090}
          startupProbe:
            {{- if $isEdge }}
            httpGet: {port: metrics, path: /healthz}
            {{- else }}
            grpc: {port: 8080}
            {{- end }}
            periodSeconds: 2
            failureThreshold: 90
          livenessProbe:
            {{- if $isEdge }}
            httpGet: {port: metrics, path: /healthz}
            {{- else }}
            grpc: {port: 8080}
            {{- end }}
            periodSeconds: 10
            timeoutSeconds: 5
          readinessProbe:
            {{- if $isEdge }}
            httpGet: {port: metrics, path: /readyz}
            {{- else }}
            grpc: {port: 8080, service: ready}
            {{- end }}
            periodSeconds: 5
            timeoutSeconds: 5
          resources: {{- toYaml .service.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: scratch, mountPath: /tmp}
            {{- with .service.volumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        - name: scratch
          emptyDir: {sizeLimit: {{ .service.scratch }}}
        {{- with .service.volumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end }}
