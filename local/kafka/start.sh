#!/bin/bash
# Starts a single Kafka node (KRaft: broker and controller) in the official image and in ours alike.
#
# It begins as root, because only root and the fleet may read the mounted password, and goes on as `appuser`.
# The password goes into files on a tmpfs only: never on a command line (Java expands `@file` itself) or into the
# environment. in: HOST_PORT (where the host reaches the HOST listener), /run/secrets/kafka-password.
set -euo pipefail
umask 077
run=/run/deeplens
data=/var/lib/kafka/data
password=$(cat /run/secrets/kafka-password)
login() { echo "org.apache.kafka.common.security.$1 required username=\"deeplens\" password=\"$password\"$2;"; }

cat >"$run/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9094
listeners=INTERNAL://0.0.0.0:9093,HOST://0.0.0.0:9092,CONTROLLER://localhost:9094
advertised.listeners=INTERNAL://kafka:9093,HOST://127.0.0.1:${HOST_PORT:?}
listener.security.protocol.map=INTERNAL:SASL_PLAINTEXT,HOST:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=INTERNAL
controller.listener.names=CONTROLLER

# SCRAM users live in the metadata that the controller itself keeps, so the controller's own listener takes PLAIN:
# it is bound to the container's loopback and knows one user.
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.internal.scram-sha-512.sasl.jaas.config=$(login scram.ScramLoginModule "")
listener.name.host.scram-sha-512.sasl.jaas.config=$(login scram.ScramLoginModule "")
listener.name.controller.plain.sasl.jaas.config=$(login plain.PlainLoginModule " user_deeplens=\"$password\"")

authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:deeplens
allow.everyone.if.no.acl.found=false
auto.create.topics.enable=false

log.dirs=$data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=10
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=10
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# Tenants' topics come and go: a removed one is off the disk soon.
log.segment.delete.delay.ms=10000
PROPERTIES

cluster=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
# The user `f5a5a608` keeps all others alive. Kafka 4.1 (ScramDelta.apply) loses EVERY credential when it loads its
# metadata log and the first user that it comes to, in the order of a Java HashMap, was removed later on: so a broker
# that had removed a tenant's user would let nobody in after a restart. This name's hash is 0, so it always comes first,
# and it is never removed. It can log in with a password that nobody has, and it has no right to anything.
guard=$(head -c 30 /dev/urandom | base64 | tr '+/' '-_')
cat >"$run/format.args" <<ARGUMENTS
kafka.tools.StorageTool format --ignore-formatted --cluster-id $cluster --config $run/server.properties
--add-scram SCRAM-SHA-512=[name=f5a5a608,password=$guard]
--add-scram SCRAM-SHA-512=[name=deeplens,password=$password]
ARGUMENTS
chown -R appuser "$run" "$data"

export KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xms256m -Xmx512m}"
export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=file:/opt/deeplens/log4j2.properties"
run_class=/opt/kafka/bin/kafka-run-class.sh

as_appuser() { # util-linux's setpriv and busybox's su both become the command; Debian's su would stay and swallow signals
  if setpriv --help 2>&1 | grep -q -- --reuid; then
    exec setpriv --reuid=appuser --regid=appuser --clear-groups -- "$@"
  fi
  exec su -s /bin/bash appuser -c "exec $*"
}
if [ ! -f "$data/meta.properties" ]; then
  (as_appuser "$run_class" "@$run/format.args")
fi
rm -f "$run/format.args"
as_appuser "$run_class" kafka.Kafka "$run/server.properties"
