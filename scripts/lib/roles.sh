# shellcheck shell=bash
# The roles that pgtandem runs as on the throw-away servers of demo and bench: they own nothing and are no superusers. To be
# sourced after cluster.sh, whose servers it speaks of as primary and standby.
#
#   roles_create                    the role pgtandem on both
#   roles_init NAME DB COMMAND…     runs an `init`; what it prints for want of rights the superuser runs in DB of NAME, once

roles_create() {
  cluster_psql primary postgres -c 'create role pgtandem login replication' || return
  cluster_psql standby postgres -c 'create role pgtandem login' -c 'grant set on parameter session_replication_role to pgtandem'
}

roles_init() {
  local name=$1 db=$2 grants
  shift 2
  grants=$("$@") && return
  [ -n "$grants" ] || return
  cluster_psql "$name" "$db" -c 'set client_min_messages = warning' -f - <<<"$grants" && "$@"
}
