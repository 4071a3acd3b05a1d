// SPDX-License-Identifier: MIT
/*
 * make_cta OUT: writes a file of bus rides with the facts of the real one (Chicago Transit Authority,
 * ridership by route and day), the same bytes on every machine.
 *
 * What is known of the real file is a table below, and is hit exactly: how many rows there are, the
 * totals of the largest routes, the first rows.  Everything else is made up, and only meant to look
 * likely.  All arithmetic is on integers.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The routes, in the order of a day's rows, and the days they run on.
 */

enum daytype { WEEKDAY, SATURDAY, SUNDAY };

struct route {
    const char *name;
    enum daytype service; /* the emptiest type of day it runs on */
    unsigned days;        /* it runs on, from the first */
    uint64_t total;       /* rides on all of them */
    uint64_t first_day;   /* of these on the first, where they are known */
    uint64_t weight;      /* of all days together */
    unsigned days_done;   /* this and the following: up to the day being visited */
    uint64_t weight_done;
};

/* clang-format off */
#define DAILY(route)       {.name = (route), .service = SUNDAY}
#define NOT_SUNDAYS(route) {.name = (route), .service = SATURDAY}
#define WEEKDAYS(route)    {.name = (route), .service = WEEKDAY}

static struct route routes[] = {
    WEEKDAYS("1"), WEEKDAYS("2"), DAILY("3"), DAILY("4"), WEEKDAYS("5"), DAILY("6"), WEEKDAYS("7"),
    DAILY("8"), WEEKDAYS("8A"), DAILY("9"), DAILY("10"), DAILY("11"), DAILY("12"), WEEKDAYS("14"),
    DAILY("15"), WEEKDAYS("16"), WEEKDAYS("17"), DAILY("18"), WEEKDAYS("19"), DAILY("20"), DAILY("21"),
    DAILY("22"), WEEKDAYS("24"), WEEKDAYS("25"), WEEKDAYS("26"), WEEKDAYS("27"), DAILY("28"), DAILY("29"),
    DAILY("30"), WEEKDAYS("31"), WEEKDAYS("32"), WEEKDAYS("33"), DAILY("34"), DAILY("35"), DAILY("36"),
    WEEKDAYS("37"), WEEKDAYS("38"), DAILY("39"), WEEKDAYS("41"), WEEKDAYS("42"), DAILY("43"), DAILY("44"),
    WEEKDAYS("45"), WEEKDAYS("46"), DAILY("47"), WEEKDAYS("48"), DAILY("49"), WEEKDAYS("49A"), DAILY("49B"),
    DAILY("50"), NOT_SUNDAYS("51"), DAILY("52"), NOT_SUNDAYS("52A"), DAILY("53"), DAILY("53A"), DAILY("54"),
    NOT_SUNDAYS("54A"), NOT_SUNDAYS("54B"), DAILY("55"), WEEKDAYS("55A"), DAILY("55N"), DAILY("56"),
    WEEKDAYS("56A"), DAILY("57"), NOT_SUNDAYS("59"), DAILY("60"), DAILY("62"), NOT_SUNDAYS("62H"),
    DAILY("63"), DAILY("63W"), WEEKDAYS("64"), DAILY("65"), DAILY("66"), DAILY("67"), NOT_SUNDAYS("68"),
    WEEKDAYS("69"), DAILY("70"), DAILY("71"), DAILY("72"), NOT_SUNDAYS("73"), DAILY("74"), DAILY("75"),
    DAILY("76"), DAILY("77"), DAILY("78"), DAILY("79"), DAILY("80"), DAILY("81"), NOT_SUNDAYS("81W"),
    DAILY("82"), NOT_SUNDAYS("84"), DAILY("85"), NOT_SUNDAYS("85A"), NOT_SUNDAYS("86"), DAILY("87"),
    NOT_SUNDAYS("88"), DAILY("90"), WEEKDAYS("90N"), DAILY("91"), DAILY("92"), NOT_SUNDAYS("93"),
    DAILY("94"), DAILY("95E"), DAILY("95W"), NOT_SUNDAYS("96"), DAILY("97"), WEEKDAYS("100"),
    WEEKDAYS("101"), DAILY("103"), WEEKDAYS("104"), DAILY("106"), NOT_SUNDAYS("108"), WEEKDAYS("110"),
    DAILY("111"), WEEKDAYS("111A"), DAILY("112"), DAILY("115"), DAILY("119"), WEEKDAYS("120"),
    WEEKDAYS("121"), WEEKDAYS("122"), WEEKDAYS("123"), DAILY("124"), WEEKDAYS("125"), DAILY("126"),
    WEEKDAYS("127"), WEEKDAYS("128"), WEEKDAYS("129"), WEEKDAYS("130"), WEEKDAYS("132"), WEEKDAYS("134"),
    WEEKDAYS("135"), WEEKDAYS("136"), WEEKDAYS("143"), WEEKDAYS("144"), DAILY("145"), DAILY("146"),
    DAILY("147"), WEEKDAYS("148"), DAILY("151"), DAILY("152"), WEEKDAYS("153"), WEEKDAYS("154"),
    DAILY("155"), WEEKDAYS("156"), NOT_SUNDAYS("157"), WEEKDAYS("161"), WEEKDAYS("162"), NOT_SUNDAYS("165"),
    WEEKDAYS("168"), WEEKDAYS("169"), WEEKDAYS("170"), DAILY("171"), DAILY("172"), WEEKDAYS("173"),
    WEEKDAYS("174"), WEEKDAYS("192"), WEEKDAYS("200"), DAILY("201"), WEEKDAYS("202"), WEEKDAYS("203"),
    WEEKDAYS("204"), WEEKDAYS("205"), NOT_SUNDAYS("206"), WEEKDAYS("209"), DAILY("290"), DAILY("J14"),
    DAILY("N5"), WEEKDAYS("X3"), WEEKDAYS("X4"), WEEKDAYS("X9"), WEEKDAYS("X20"), WEEKDAYS("X21"),
    WEEKDAYS("X28"), WEEKDAYS("X44"), DAILY("X49"), WEEKDAYS("X53"), WEEKDAYS("X54"), WEEKDAYS("X55"),
    WEEKDAYS("X80"), WEEKDAYS("X98"), WEEKDAYS("X99"),
};
/* clang-format on */

enum { ROUTES = sizeof routes / sizeof *routes };

/*
 * What is known.
 */

/* Rows of the nine routes with a name of one character, and of all the others. */
enum { ROWS_SHORT = 42200, ROWS_LONG = 676476 - ROWS_SHORT };

/* The totals of 3, 6 and 8 are made up, to go with their first days. */
static const struct {
    const char *name;
    uint64_t total, first_day;
} known[] = {
    {"79", 153736884, 0},   {"9", 138645554, 11207}, {"49", 113908939, 0},
    {"4", 111154851, 9288}, {"66", 110746972, 0},    {"22", 104039097, 0},
    {"3", 90213467, 7354},  {"6", 62918604, 6048},   {"8", 74805122, 6309},
};

/*
 * The calendar.
 */

struct date {
    int year, month, day;
    int weekday; /* 0 is Monday */
    int number;  /* 0 is the first day of the file */
};

static const struct date first_date = {.year = 2001, .month = 1, .day = 1};
enum { DAYS = 5447 };

static int days_in_month(const struct date *date)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = date->year % 4 == 0 && (date->year % 100 != 0 || date->year % 400 == 0);
    return days[date->month - 1] + (leap && date->month == 2);
}

static struct date day_after(struct date date)
{
    date.number++;
    date.weekday = (date.weekday + 1) % 7;
    if (date.day++ < days_in_month(&date))
        return date;
    date.day = 1;
    if (date.month++ < 12)
        return date;
    date.month = 1;
    date.year++;
    return date;
}

/* New Year, Memorial Day, Independence Day, Labor Day, Thanksgiving, Christmas. */
static bool is_holiday(const struct date *date)
{
    bool monday = date->weekday == 0, thursday = date->weekday == 3;
    switch (date->month) {
    case 1:
        return date->day == 1;
    case 5:
        return monday && date->day > 24;
    case 7:
        return date->day == 4;
    case 9:
        return monday && date->day <= 7;
    case 11:
        return thursday && date->day > 21 && date->day <= 28;
    case 12:
        return date->day == 25;
    default:
        return false;
    }
}

static enum daytype daytype_of(const struct date *date)
{
    if (date->weekday == 6 || is_holiday(date))
        return SUNDAY;
    return date->weekday == 5 ? SATURDAY : WEEKDAY;
}

/*
 * The routes' days, in the order of the file: one pass each to count them, to weigh them, and to
 * write them.
 */

typedef void visitor(struct route *route, const struct date *date, FILE *out);

static void visit_routes(const struct date *date, visitor *visit, FILE *out)
{
    enum daytype today = daytype_of(date);
    for (struct route *route = routes; route < routes + ROUTES; route++) {
        if (today <= route->service && route->days_done < route->days) {
            route->days_done++;
            visit(route, date, out);
        }
    }
}

static void visit_all(visitor *visit, FILE *out)
{
    for (struct route *route = routes; route < routes + ROUTES; route++)
        route->days_done = 0;
    for (struct date date = first_date; date.number < DAYS; date = day_after(date))
        visit_routes(&date, visit, out);
}

/*
 * Chance: the mixing function of splitmix64, of a purpose and two numbers.  It has no state, so that
 * a value can be asked for twice.
 */

enum purpose { RUN_LENGTH, RIDES_A_DAY, VARIATION };

static unsigned chance(enum purpose purpose, size_t a, int b, unsigned below)
{
    uint64_t x = ((uint64_t)purpose << 48 | (uint64_t)a << 32 | (uint64_t)b) + 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return (unsigned)((x ^ x >> 31) % below);
}

/*
 * Rows.  A route runs from the first day, the ones that ply on weekdays only until they are
 * withdrawn.  The number of rows is made right by withdrawing them a little earlier, in turn.
 */

static void count_day(struct route *route, const struct date *date, FILE *out)
{
    (void)date;
    (void)out;
    route->weight++;
}

static void draw_run_lengths(void)
{
    for (size_t i = 0; i < ROUTES; i++)
        routes[i].days = DAYS;
    visit_all(count_day, NULL);
    for (size_t i = 0; i < ROUTES; i++) {
        bool withdrawn = routes[i].service == WEEKDAY && routes[i].name[1];
        unsigned percent = withdrawn ? 20 + chance(RUN_LENGTH, i, 0, 70) : 100;
        routes[i].days = (unsigned)(routes[i].weight * percent / 100);
        routes[i].weight = 0;
    }
}

static bool fit_rows(bool long_names, unsigned wanted)
{
    unsigned rows = 0;
    for (size_t i = 0; i < ROUTES; i++)
        if ((routes[i].name[1] != '\0') == long_names)
            rows += routes[i].days;
    if (rows < wanted)
        return false;
    for (size_t i = 0; rows > wanted; i = (i + 1) % ROUTES) {
        if ((routes[i].name[1] != '\0') == long_names && routes[i].service == WEEKDAY) {
            routes[i].days--;
            rows--;
        }
    }
    return true;
}

/*
 * Rides.  Every route has a total, every day a weight, and a day's rides are its share of the total.
 * The shares are taken as differences of rounded running sums, which makes them add up to the total
 * whatever the weights are.
 */

/* Few routes carry many: the fourth power of an even chance. */
static uint64_t draw_total(size_t i)
{
    uint64_t even = chance(RIDES_A_DAY, i, 0, 1000);
    return routes[i].days * (35 + even / 8 + 8000 * even * even * even / 1000 * even / 1000000000);
}

static void set_totals(void)
{
    for (size_t i = 0; i < ROUTES; i++) {
        routes[i].total = draw_total(i);
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            if (strcmp(routes[i].name, known[k].name) == 0) {
                routes[i].total = known[k].total;
                routes[i].first_day = known[k].first_day;
            }
        }
    }
}

/* Below 2^22, so that running weight times total stays below 2^62. */
static uint64_t weight(const struct route *route, const struct date *date)
{
    static const unsigned by_daytype[] = {[WEEKDAY] = 100, [SATURDAY] = 70, [SUNDAY] = 50};
    static const unsigned by_month[] = {90, 94, 98, 101, 103, 100, 97, 96, 106, 108, 102, 93};
    if (date->number == 0 && route->first_day)
        return 0;
    unsigned variation = 90 + chance(VARIATION, (size_t)(route - routes), date->number, 21);
    return (uint64_t)by_daytype[daytype_of(date)] * by_month[date->month - 1] * variation;
}

static void weigh(struct route *route, const struct date *date, FILE *out)
{
    (void)out;
    route->weight += weight(route, date);
}

static uint64_t rides_of(struct route *route, const struct date *date)
{
    if (date->number == 0 && route->first_day)
        return route->first_day;
    uint64_t shared = route->total - route->first_day;
    uint64_t before = shared * route->weight_done / route->weight;
    route->weight_done += weight(route, date);
    return shared * route->weight_done / route->weight - before;
}

static void write_row(struct route *route, const struct date *date, FILE *out)
{
    static const char letter[] = {[WEEKDAY] = 'W', [SATURDAY] = 'A', [SUNDAY] = 'U'};
    fprintf(out, "%s,%02d/%02d/%d,%c,%llu\n", route->name, date->month, date->day, date->year,
            letter[daytype_of(date)], (unsigned long long)rides_of(route, date));
}

/*
 * The file appears under its name only when it is complete.
 */

static bool write_file(const char *path)
{
    FILE *out = fopen(path, "we");
    if (!out)
        return false;
    fputs("route,date,daytype,rides\n", out);
    visit_all(write_row, out);
    bool failed = ferror(out);
    return fclose(out) == 0 && !failed;
}

static bool write_and_rename(const char *path)
{
    static const char suffix[] = ".tmp";
    char *temporary = malloc(strlen(path) + sizeof suffix);
    if (!temporary)
        return false;
    strcat(strcpy(temporary, path), suffix);
    bool done = write_file(temporary) && rename(temporary, path) == 0;
    int why = errno;
    if (!done)
        remove(temporary);
    free(temporary);
    errno = why;
    return done;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("Usage: make_cta OUT\n", stderr);
        return 2;
    }
    draw_run_lengths();
    if (!fit_rows(false, ROWS_SHORT) || !fit_rows(true, ROWS_LONG)) {
        fputs("make_cta: the routes run on too few days\n", stderr);
        return 1;
    }
    set_totals();
    visit_all(weigh, NULL);
    if (!write_and_rename(argv[1])) {
        fprintf(stderr, "make_cta: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    return 0;
}
