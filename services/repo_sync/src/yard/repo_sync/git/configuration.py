"""The files that git and ssh read instead of the system's and the user's: nothing else configures them."""

from pathlib import Path
from typing import Final

from yard.runtime.egress import GitRemote

GIT_CONFIG_FILE: Final = "gitconfig"
TRUSTED_FILE: Final = "trusted.pem"
KEY_FILE: Final = "key"
KNOWN_HOSTS_FILE: Final = "known_hosts"
REMOTE: Final = "origin"

CONNECT_TIMEOUT_S: Final = 15
ALIVE_S: Final = 15
# A host that works on what it got says a few bytes every five seconds.
QUIET_S: Final = 120
LEAST_BYTES_S: Final = 1

_GIT_CONFIG = """\
[core]
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	fsmonitor = false
	bigFileThreshold = 8m
	packedGitLimit = 128m
	deltaBaseCacheLimit = 32m
	compression = 1
	logAllRefUpdates = false
[protocol]
	allow = never
	version = 2
[protocol "https"]
	allow = always
[protocol "ssh"]
	allow = always
[credential]
	helper =
	interactive = false
[http]
	followRedirects = false
	proxy =
	sslVerify = true
	sslCAInfo = {trusted}
	lowSpeedLimit = {least_bytes_s}
	lowSpeedTime = {quiet_s}
	delegation = none
{pins}[transfer]
	bundleURI = false
	credentialsInUrl = die
[fetch]
	recurseSubmodules = false
	unpackLimit = 1
	writeCommitGraph = false
[push]
	recurseSubmodules = no
	followTags = false
	gpgSign = false
	negotiate = false
[submodule]
	recurse = false
[gc]
	auto = 0
	autoDetach = false
[maintenance]
	auto = false
[pack]
	threads = 1
	windowMemory = 64m
	deltaCacheSize = 32m
	writeReverseIndex = false
[index]
	threads = 1
[init]
	defaultBranch = main
	templateDir =
[advice]
	detachedHead = false
[remote "{remote}"]
	url = {url}
	tagOpt = --no-tags
	promisor = true
	partialCloneFilter = blob:none
"""

_SSH_CONFIG = """\
Host *
	HostName {address}
	HostKeyAlias {host}
	UserKnownHostsFile {known_hosts}
	GlobalKnownHostsFile none
	StrictHostKeyChecking {checking}
	CheckHostIP no
	HashKnownHosts no
	UpdateHostKeys no
	VerifyHostKeyDNS no
	CanonicalizeHostname no
	BatchMode yes
	IdentityFile {key}
	IdentitiesOnly yes
	IdentityAgent none
	PreferredAuthentications publickey
	PKCS11Provider none
	ForwardAgent no
	ForwardX11 no
	ClearAllForwardings yes
	PermitLocalCommand no
	ProxyCommand none
	ProxyJump none
	ControlMaster no
	ControlPath none
	Tunnel no
	RequestTTY no
	EscapeChar none
	ConnectTimeout {connect_timeout_s}
	ConnectionAttempts 1
	ServerAliveInterval {alive_s}
	ServerAliveCountMax 2
	LogLevel ERROR
"""


def git_config(url: str, pins: str, trusted: Path) -> str:
    """Of one remote; `pins` bind its name to the addresses that were checked."""
    return _GIT_CONFIG.format(
        url=_quoted(url),
        remote=REMOTE,
        trusted=_quoted(str(trusted)),
        pins=f"\tcurloptResolve = {pins}\n" if pins else "",
        least_bytes_s=LEAST_BYTES_S,
        quiet_s=QUIET_S,
    )


def ssh_config(folder: Path, remote: GitRemote, address: str, *, is_known: bool) -> str:
    """Of one remote; a host that is not known yet is taken over once."""
    return _SSH_CONFIG.format(
        address=address,
        host=remote.host,
        known_hosts=_quoted(str(folder / KNOWN_HOSTS_FILE)),
        checking="yes" if is_known else "accept-new",
        key=_quoted(str(folder / KEY_FILE)),
        connect_timeout_s=CONNECT_TIMEOUT_S,
        alive_s=ALIVE_S,
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
