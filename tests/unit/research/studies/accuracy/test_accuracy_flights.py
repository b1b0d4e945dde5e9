import zipfile
from pathlib import Path

import pytest

from research.studies.accuracy import flights

FLIGHTS = "year,month,dep_delay,arr_delay,carrier,origin,dest,distance,hour,time_hour"
WEATHER = "origin,month,hour,temp,dewp,humid,wind_speed,precip,pressure,visib,time_hour"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    months = range(1, 7)
    times = {month: f"2013-{month:02d}-01T10:00:00Z" for month in months}
    flown = [f"2013,{month},{month},{20 if month % 2 else 14},UA,EWR,IAH,1400,5,{times[month]}" for month in months]
    lost = f"2013,4,NA,NA,UA,EWR,IAH,1400,5,{times[4]}"
    with zipfile.ZipFile(tmp_path / "flights.csv.zip", "w") as archive:
        archive.writestr("flights.csv", "\n".join([FLIGHTS, lost, *reversed(flown)]) + "\n")
    sky = [f"EWR,{month},5,{40 + month},26,59,10,{0.1 * (month % 2)},NA,10,{times[month]}" for month in months]
    (tmp_path / "weather.csv").write_text("\n".join([WEATHER, *sky[:5]]) + "\n")
    return tmp_path


def test_first_months_are_known_and_later_ones_judged_in_the_order_of_time(data: Path) -> None:
    stream = flights.stream(flights.DEPARTED, data, seed=1)
    known = stream.split.train.column("dep_delay") + stream.split.test.column("dep_delay")
    assert sorted(known) == ["1", "2", "3"]
    assert stream.split.pool.column("dep_delay") == ("4", "5", "6")
    assert stream.split.pool.labels == ("in time", "late", "in time")


def test_flight_that_never_arrived_has_no_label_and_is_left_out(data: Path) -> None:
    assert "NA" not in flights.stream(flights.DEPARTED, data, seed=1).split.pool.column("dep_delay")


def test_plan_has_the_weather_of_the_place_and_hour_and_not_the_delay(data: Path) -> None:
    pool = flights.stream(flights.PLANNED, data, seed=1).split.pool
    assert "dep_delay" not in pool.header
    # June has no weather, and nobody measured the pressure.
    assert pool.column("temp") == ("44", "45", "")
    assert set(pool.column("pressure")) == {""}


def test_rain_is_predicted_from_the_rest_of_the_weather(data: Path) -> None:
    pool = flights.stream(flights.RAIN, data, seed=1).split.pool
    assert "precip" not in pool.header
    assert pool.labels == ("dry", "rain")


def test_windows_are_consecutive_rows_spread_over_the_later_ones(data: Path) -> None:
    stream = flights.stream(flights.DEPARTED, data, seed=1)
    short = flights.Stream(stream.name, stream.split, n_rows=1)
    assert [rows.column("dep_delay") for _, rows in short.windows(3)] == [("4",), ("5",), ("6",)]
    assert [name for name, _ in short.windows(2)] == ["rows from 0", "rows from 2"]


def test_same_seed_deals_the_known_rows_alike(data: Path) -> None:
    assert flights.stream(flights.RAIN, data, seed=3).split == flights.stream(flights.RAIN, data, seed=3).split
