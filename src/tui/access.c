#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "tui/tui.h"

/*
 * The access map: mailboxes by people. A cell says whether the person may read the
 * mailbox or a secret of it, whether he has seen one that is in force or only former
 * ones, and whether he knows one in force without a right, which is to be rotated.
 */
enum {
    MAY = 1u << 0,
    SEEN = 1u << 1, /* in force */
    SEEN_BEFORE = 1u << 2,
    EXPOSED = 1u << 3,
    CELL_MIN = 6,
    CELL_MAX = 16,
    ADDRESS_MAX = 40,
};

struct column {
    char id[PSN_PERSON_ID_MAX];
    char name[PSN_NAME_MAX];
    enum psn_person_kind kind;
    bool leaving;
};

struct place {
    char address[PSN_ADDRESS_TEXT_MAX];
    char owner[PSN_PERSON_ID_MAX]; /* of the client's accesses; or "" */
    size_t row;
};

struct right {
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX];
    size_t column;
};

struct owner {
    char client[PSN_CLIENT_ID_MAX];
    char person[PSN_PERSON_ID_MAX];
};

struct tui_access {
    struct column *columns; /* by id; somebody can open the vault */
    size_t column_count;
    struct place *places; /* by address */
    size_t place_count;
    struct right *rights; /* by address, label, column */
    size_t right_count;
    struct owner *owners;
    size_t owner_count;
    uint8_t *cells; /* row × column */
    struct tui *ui;
    size_t chosen; /* column */
    size_t left;   /* the first column that is seen */
};

void tui_access_free(struct tui_access *access)
{
    if (!access)
        return;
    free(access->columns);
    free(access->places);
    free(access->rights);
    free(access->owners);
    free(access->cells);
    free(access);
}

/* --- reading --- */

static enum psn_code add_column(void *arg, const struct psn_person *person,
                                struct psn_error *err)
{
    struct tui_access *access = arg;
    struct column *column;
    enum psn_code rc = PSN_GROW(access->columns, access->column_count, err);

    if (rc)
        return rc;
    column = &access->columns[access->column_count++];
    *column =
        (struct column){ .kind = person->kind, .leaving = person->departing_s != 0 };
    memcpy(column->id, person->id, sizeof column->id);
    memcpy(column->name, person->name, sizeof column->name);
    return PSN_OK;
}

static enum psn_code add_owner(void *arg, const struct psn_client *client,
                               struct psn_error *err)
{
    struct tui_access *access = arg;
    struct owner *owner;
    enum psn_code rc;

    if (!client->owner[0])
        return PSN_OK;
    rc = PSN_GROW(access->owners, access->owner_count, err);
    if (rc)
        return rc;
    owner = &access->owners[access->owner_count++];
    memcpy(owner->client, client->id, sizeof owner->client);
    memcpy(owner->person, client->owner, sizeof owner->person);
    return PSN_OK;
}

static enum psn_code add_place(void *arg, const struct psn_role *role,
                               struct psn_error *err)
{
    struct tui_access *access = arg;
    struct tui_list *list = &access->ui->lists[TUI_ACCESS];
    const char *const cells[] = { role->address, role->client };
    struct place *place;
    enum psn_code rc = PSN_GROW(access->places, access->place_count, err);

    if (rc)
        return rc;
    place = &access->places[access->place_count++];
    *place = (struct place){ .row = list->count };
    memcpy(place->address, role->address, sizeof place->address);
    for (size_t i = 0; i < access->owner_count; i++)
        if (strcmp(access->owners[i].client, role->client) == 0)
            memcpy(place->owner, access->owners[i].person, sizeof place->owner);
    return tui_list_add(list, TUI_PLAIN, NULL, cells, err);
}

static int by_address(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->address, ((const struct place *)b)->address);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct column *)a)->id, ((const struct column *)b)->id);
}

static int by_right(const void *a, const void *b)
{
    const struct right *left = a;
    const struct right *right = b;
    int order = strcmp(left->address, right->address);

    if (!order)
        order = strcmp(left->label, right->label);
    return order ? order
                 : (left->column > right->column) - (left->column < right->column);
}

static const struct place *find_place(const struct tui_access *access,
                                      const char *address)
{
    struct place wanted = { .row = 0 };

    (void)snprintf(wanted.address, sizeof wanted.address, "%s", address);
    return access->place_count ? bsearch(&wanted, access->places, access->place_count,
                                         sizeof wanted, by_address)
                               : NULL;
}

static const struct column *find_column(const struct tui_access *access, const char *id)
{
    struct column wanted = { .leaving = false };

    (void)snprintf(wanted.id, sizeof wanted.id, "%s", id);
    return bsearch(&wanted, access->columns, access->column_count, sizeof wanted, by_id);
}

static uint8_t *cell_at(const struct tui_access *access, size_t row, size_t column)
{
    return &access->cells[row * access->column_count + column];
}

static enum psn_code note_right(void *arg, const struct psn_reachable *reachable,
                                struct psn_error *err)
{
    struct tui_access *access = arg;
    const struct place *place = find_place(access, reachable->address);
    const struct column *column = find_column(access, reachable->person);
    struct right *right;
    enum psn_code rc;

    /* Who is leaving has no right, whatever he still can. */
    if (!place || !column || column->leaving)
        return PSN_OK;
    rc = PSN_GROW(access->rights, access->right_count, err);
    if (rc)
        return rc;
    right = &access->rights[access->right_count++];
    memcpy(right->address, reachable->address, sizeof right->address);
    memcpy(right->label, reachable->label, sizeof right->label);
    right->column = (size_t)(column - access->columns);
    *cell_at(access, place->row, right->column) |= MAY;
    return PSN_OK;
}

static bool has_right(const struct tui_access *access, const struct place *place,
                      const struct column *column, const char *label)
{
    struct right wanted = { .column = (size_t)(column - access->columns) };

    if (column->leaving)
        return false;
    if (strcmp(place->owner, column->id) == 0)
        return true;
    (void)snprintf(wanted.address, sizeof wanted.address, "%s", place->address);
    (void)snprintf(wanted.label, sizeof wanted.label, "%s", label);
    return access->right_count &&
           bsearch(&wanted, access->rights, access->right_count, sizeof wanted, by_right);
}

static enum psn_code note_seen(void *arg, const struct psn_exposure *exposure,
                               struct psn_error *err)
{
    struct tui_access *access = arg;
    const struct place *place = find_place(access, exposure->address);
    const struct column *column = find_column(access, exposure->person);
    uint8_t *cell;

    (void)err;
    if (!place || !column)
        return PSN_OK;
    cell = cell_at(access, place->row, (size_t)(column - access->columns));
    *cell |= exposure->in_force ? SEEN : SEEN_BEFORE;
    if (exposure->in_force && !has_right(access, place, column, exposure->label))
        *cell |= EXPOSED;
    return PSN_OK;
}

static void note_owners(struct tui_access *access)
{
    for (size_t i = 0; i < access->place_count; i++) {
        const struct place *place = &access->places[i];
        const struct column *column = find_column(access, place->owner);

        if (column && !column->leaving)
            *cell_at(access, place->row, (size_t)(column - access->columns)) |= MAY;
    }
}

static enum psn_code read_map(struct tui_access *access, struct psn_error *err)
{
    struct psn_vault *vault = access->ui->cli->vault;
    enum psn_code rc = psn_person_each(vault, add_column, access, err);

    if (!rc)
        rc = psn_client_each(vault, add_owner, access, err);
    if (!rc)
        rc = psn_role_each(vault, NULL, 0, true, add_place, access, err);
    if (rc)
        return rc;
    access->cells = calloc(access->place_count + 1, access->column_count + 1);
    if (!access->cells)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (access->place_count > 1)
        qsort(access->places, access->place_count, sizeof *access->places, by_address);
    if (access->column_count > 1)
        qsort(access->columns, access->column_count, sizeof *access->columns, by_id);
    rc = psn_reachable_each(vault, NULL, NULL, note_right, access, err);
    if (access->right_count > 1)
        qsort(access->rights, access->right_count, sizeof *access->rights, by_right);
    if (!rc)
        rc = psn_exposure_each(vault, NULL, NULL, note_seen, access, err);
    note_owners(access);
    return rc;
}

/* The column of the person that was chosen, who may have moved; else the nearest. */
static void keep_column(struct tui_access *access, const struct tui_access *was)
{
    const struct column *column;

    access->chosen = was->chosen;
    access->left = was->left;
    column = find_column(access, was->columns[was->chosen].id);
    if (column)
        access->chosen = (size_t)(column - access->columns);
    else if (access->chosen >= access->column_count)
        access->chosen = access->column_count - 1;
}

static enum psn_code load(struct tui *ui, struct psn_error *err)
{
    struct tui_list *list = &ui->lists[TUI_ACCESS];
    struct tui_access *access = calloc(1, sizeof *access);
    enum psn_code rc;

    list->columns = 2;
    list->titles[0] = _("ADDRESS");
    list->titles[1] = _("CLIENT");
    if (!access)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    access->ui = ui;
    rc = read_map(access, err);
    if (!rc && ui->access)
        keep_column(access, ui->access);
    tui_access_free(ui->access);
    ui->access = rc ? NULL : access;
    if (rc)
        tui_access_free(access);
    return rc;
}

/* --- drawing --- */

/* Whoever has seen what is in force may read it, or else it is exposed. */
static const char *mark(unsigned cell, enum tui_style *ret_style)
{
    bool may = cell & MAY;

    *ret_style = cell & EXPOSED ? TUI_BAD : may ? TUI_GOOD : TUI_PLAIN;
    if (cell & EXPOSED)
        return may ? "✓•!" : "•!";
    if (cell & SEEN)
        return "✓•";
    if (cell & SEEN_BEFORE)
        return may ? "✓·" : "·";
    return may ? "✓" : "";
}

static size_t column_width(const struct tui_access *access, size_t column)
{
    size_t width = psn_text_columns(access->columns[column].id) + 1;

    width = width > CELL_MIN ? width : CELL_MIN;
    return width < CELL_MAX ? width : CELL_MAX;
}

/* How many columns are seen from `left` on. */
static size_t seen_columns(const struct tui_access *access, size_t columns)
{
    size_t count = 0;
    size_t used = 0;

    while (access->left + count < access->column_count) {
        used += column_width(access, access->left + count);
        if (used > columns)
            break;
        count++;
    }
    return count;
}

static void scroll_columns(struct tui_access *access, size_t columns)
{
    if (access->chosen < access->left)
        access->left = access->chosen;
    while (access->left < access->chosen &&
           access->chosen >= access->left + seen_columns(access, columns))
        access->left++;
}

static void draw_heads(struct tui *ui, struct tui_rect at, size_t first, size_t seen)
{
    const struct tui_access *access = ui->access;
    size_t column = at.column + first;

    tui_screen_put(ui->screen, at.row, at.column, first, TUI_DIM, _("ADDRESS"));
    for (size_t i = access->left; i < access->left + seen; i++) {
        size_t width = column_width(access, i);
        size_t room = at.column + at.columns - column;

        tui_screen_put(ui->screen, at.row, column, (width < room ? width : room) - 1,
                       i == access->chosen ? TUI_STRONG : TUI_DIM, access->columns[i].id);
        column += width;
    }
    if (access->left + seen < access->column_count)
        tui_screen_put(ui->screen, at.row, at.column + at.columns - 1, 1, TUI_STRONG,
                       "›");
}

static void draw_cells(struct tui *ui, struct tui_rect at, size_t row, size_t first,
                       size_t seen, bool chosen)
{
    const struct tui_access *access = ui->access;
    size_t column = at.column + first;

    tui_screen_put(ui->screen, at.row, at.column, first - 1,
                   chosen ? TUI_STRONG : TUI_PLAIN,
                   tui_list_cell(&ui->lists[TUI_ACCESS], row, 0));
    for (size_t i = access->left; i < access->left + seen; i++) {
        size_t width = column_width(access, i);
        size_t room = at.column + at.columns - column;
        enum tui_style style;
        const char *text = mark(*cell_at(access, row, i), &style);

        tui_screen_put(ui->screen, at.row, column, (width < room ? width : room) - 1,
                       chosen && i == access->chosen ? TUI_CHOSEN : style, text);
        column += width;
    }
}

static size_t address_width(const struct tui_list *list, size_t columns)
{
    size_t width = psn_text_columns(_("ADDRESS"));
    size_t most = columns / 2 < ADDRESS_MAX ? columns / 2 : ADDRESS_MAX;

    for (size_t i = 0; i < list->shown_count; i++) {
        size_t one = psn_text_columns(tui_list_cell(list, list->shown[i], 0));

        width = one > width ? one : width;
    }
    return (width < most ? width : most) + 2;
}

static void draw(struct tui *ui, struct tui_rect where)
{
    struct tui_list *list = &ui->lists[TUI_ACCESS];
    struct tui_access *access = ui->access;
    struct tui_rect at = where;
    size_t first;
    size_t seen;

    if (!access || list->shown_count == 0) {
        tui_list_draw(ui->screen, list, where, _(tui_view_access.empty));
        return;
    }
    first = address_width(list, where.columns);
    scroll_columns(access, where.columns - first);
    seen = seen_columns(access, where.columns - first);
    tui_list_scroll(list, where.rows - 2);
    draw_heads(ui, at, first, seen);
    for (size_t i = 0; i + 2 < where.rows && list->top + i < list->shown_count; i++) {
        at.row = where.row + 1 + i;
        draw_cells(ui, at, list->shown[list->top + i], first, seen,
                   list->top + i == list->chosen);
    }
    tui_screen_put(
        ui->screen, where.row + where.rows - 1, where.column, where.columns, TUI_DIM,
        _("✓ may read  • has seen  · a former one  ! knows it without a right"));
}

/* --- the chosen cell --- */

static enum psn_code describe(struct tui *ui, size_t row, struct tui_lines *out,
                              struct psn_error *err)
{
    const struct tui_access *access = ui->access;
    const char *address = tui_list_cell(&ui->lists[TUI_ACCESS], row, 0);
    const struct column *column;
    char person[PSN_PERSON_ID_MAX + PSN_NAME_MAX + 8];

    if (!access)
        return PSN_OK;
    column = &access->columns[access->chosen];
    (void)snprintf(person, sizeof person, column->name[0] ? "%s, %s" : "%s", column->id,
                   column->name);
    tui_lines_row(out, _("Mailbox"), address);
    tui_lines_row(out, _("Person"), person);
    if (column->leaving)
        tui_lines_row(out, _("State"), _("is leaving: no right to anything"));
    if (*cell_at(access, row, access->chosen) & EXPOSED)
        tui_lines_say(out, TUI_BAD,
                      _("Knows what is in force without a right: rotate it (r)."));
    return tui_describe_who(ui, column->id, address, NULL, out, err);
}

static void take_back(struct tui *ui, const char *person, const char *address)
{
    const char *const words[] = { "revoke", person, address };

    if (tui_confirm(ui,
                    _("End the grants of %s for %s, and change every password that he "
                      "has seen?"),
                    person, address))
        tui_run(ui, words, sizeof words / sizeof *words);
}

static bool key(struct tui *ui, unsigned pressed)
{
    struct tui_access *access = ui->access;
    const char *chosen = tui_chosen_address(ui);
    char address[PSN_ADDRESS_TEXT_MAX];
    char person[PSN_PERSON_ID_MAX];

    if (!access || !chosen)
        return false;
    (void)snprintf(address, sizeof address, "%s", chosen);
    (void)snprintf(person, sizeof person, "%s", access->columns[access->chosen].id);
    switch (pressed) {
    case TUI_KEY_LEFT:
    case 'h':
        access->chosen -= access->chosen > 0;
        ui->detail_row = SIZE_MAX;
        return true;
    case TUI_KEY_RIGHT:
    case 'l':
        access->chosen += access->chosen + 1 < access->column_count;
        ui->detail_row = SIZE_MAX;
        return true;
    case TUI_KEY_ENTER:
        tui_read(ui, address, &ui->detail);
        return true;
    case 'g':
        tui_grant(ui, person, address, "");
        return true;
    case 'x':
        take_back(ui, person, address);
        return true;
    case 'r':
        return tui_key_on_role(ui, pressed, address, "");
    default:
        return false;
    }
}

const struct tui_view tui_view_access = {
    .load = load,
    .describe = describe,
    .key = key,
    .draw = draw,
    .keys = N_("Arrows: move  Enter: details  g: grant  x: revoke  r: rotate"),
    .empty = N_("There is no mailbox yet: passation role add ADDRESS, or role adopt"),
};
