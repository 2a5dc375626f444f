"""Which hosts a setting names, in the forms that applications are told of one another."""

import pytest

from sim.importing.addresses import of_variable
from sim.importing.images import role_of
from sim.spec.document import Place

HERE = Place("a.yaml", 1)


@pytest.mark.parametrize(
    ("name", "value", "hosts"),
    [
        ("CART_SERVICE_ADDR", "cart:7070", ["cart"]),
        ("CATALOGUE", "http://catalogue/v1", ["catalogue"]),
        ("SPRING_DATASOURCE_URL", "jdbc:postgresql://user:word@db:5432/shop", ["db"]),
        ("BROKERS", "kafka-0.kafka:9092,kafka-1.kafka:9092", ["kafka-0.kafka", "kafka-1.kafka"]),
        ("DB_HOST", "db", ["db"]),
        ("ConnectionString", "Server=sqldata;Database=shop;User Id=sa", ["sqldata"]),
        ("LIBPQ", "host=db", ["db"]),
        ("GREETING", "hello", []),
        ("JAVA_OPTS", "-Xmx128m -Dfile=/dev/urandom", []),
        ("TIME", "12:30:15", []),
        ("LISTEN_ADDR", ":8080", []),
        ("EMPTY_HOST", "", []),
    ],
)
def test_hosts_in_values(name, value, hosts):
    assert list(dict.fromkeys(address.host for address in of_variable(name, value, HERE))) == hosts


def test_a_name_alone_is_the_weakest_guess():
    guesses = list(of_variable("PRODUCT_CATALOG_SERVICE_ADDR", None, HERE))
    assert {"product-catalog", "productcatalogservice", "product-catalog-service"} <= {
        address.host for address in guesses
    }
    assert all("alone" in address.how for address in guesses)
    assert list(of_variable("LOG_LEVEL", None, HERE)) == []


def test_a_setting_without_end_takes_no_time():
    assert list(of_variable("A_URL", "a." * 10**6, HERE)) == []
    assert {address.host for address in of_variable("A_URL", "http://" * 10**5, HERE)} <= {"http", "htt"}


@pytest.mark.parametrize(
    ("image", "name", "role"),
    [
        ("registry.example.com:5000/team/postgres:16-alpine", "anything", "database"),
        ("quay.io/prometheus/prometheus@sha256:00", "anything", "observability"),
        ("example/app:1", "orders-db", "database"),
        ("example/app:1", "orders", ""),
        ("${IMAGE}", "otel-collector", "observability"),
        ("confluentinc/cp-kafka", "broker", "Kafka"),
        ("", "", ""),
    ],
)
def test_roles(image, name, role):
    assert role_of(image, name) == role
