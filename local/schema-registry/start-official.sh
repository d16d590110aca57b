#!/bin/bash
# Starts Confluent's own schema registry (the stand-in does not use this). Its usual way in is the environment, which
# `docker inspect` shows: the password goes into a properties file on a tmpfs instead.
set -euo pipefail
umask 077
cat >/run/deeplens/schema-registry.properties <<PROPERTIES
listeners=http://0.0.0.0:8081
host.name=schema-registry
kafkastore.bootstrap.servers=SASL_PLAINTEXT://kafka:9093
kafkastore.security.protocol=SASL_PLAINTEXT
kafkastore.sasl.mechanism=SCRAM-SHA-512
kafkastore.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="deeplens" password="$(cat /run/secrets/kafka-password)";
kafkastore.topic=_schemas
kafkastore.topic.replication.factor=1
schema.compatibility.level=full_transitive
PROPERTIES
export SCHEMA_REGISTRY_HEAP_OPTS=-Xmx256m
exec schema-registry-start /run/deeplens/schema-registry.properties
