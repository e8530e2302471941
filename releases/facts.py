"""What is asked of a release about service, tags and benefits, in figures.

Each question is answered by one table of the release; a table without rows gives no
answer. `summary` asks them; report and demo show the answers.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A line of figures: the aggregates of a table, and how they are written."""

    name_en: str
    name_zh: str
    table: str
    answers: tuple[str, ...]  # aggregates in SQL
    form: str = ""  # for DuckDB's format(); default: whole numbers, side by side
    rows: str = "true"  # the condition that rows must meet, in SQL

    def select(self, place: str) -> str:
        """The select of the answer: one row with one text, or no row.

        Args:
            place: the quoted name of the table.
        """
        form = self.form or " · ".join("{:,}" for _ in self.answers)
        return (
            f"select format('{form}', {', '.join(self.answers)})"
            f" from {place} where {self.rows} having count(*) > 0"
        )


def _counts(column: str, *values: str) -> tuple[str, ...]:
    return tuple(f"count(*) filter (where {column} = '{value}')" for value in values)


QUESTIONS = (
    Question(
        "Service level: high, mid, general",
        "服务级别：高、中、一般",
        "service_queue",
        _counts("service_level", "high", "mid", "general"),
    ),
    Question(
        "On the red list, the black list",
        "红名单、黑名单",
        "importance_list",
        _counts("list_flag", "red", "black"),
    ),
    Question(
        "Need: complaint, question",
        "需求：投诉、咨询",
        "service_queue",
        _counts("service_need", "complaint", "consult"),
        rows="service_need != 'none'",
    ),
    Question(
        "Calls to return: due, overdue",
        "待回访来电：未到期、已逾期",
        "callbacks",
        _counts("status", "due", "overdue"),
    ),
    Question(
        "Calls returned: in time, late",
        "已回访来电：按时、逾时",
        "callbacks",
        _counts("status", "done_in_time", "done_late"),
    ),
    Question(
        "Calls answered in time; goals met",
        "按时接通率；达标",
        "sla_attainment",
        (
            "100 * sum(n_in_time) / sum(n_offered)",
            "count(*) filter (where is_met)",
            "count(*)",
        ),
        form="{:.1f} %; {:,} of {:,}",
    ),
    Question(
        "Open tickets: first, second line",
        "未结工单：一线、二线",
        "ticket_triage",
        _counts("ticket_level", "L1", "L2"),
        rows="is_open",
    ),
    Question(
        "Satisfaction, 1 to 5",
        "满意度（1–5）",
        "satisfaction_scores",
        ("sum(score * n_answers) / sum(n_answers)",),
        form="{:.2f}",
        rows="scope_type = 'dimension' and month is null",
    ),
    Question(
        "Agents to reward, to warn",
        "客服：奖励、预警",
        "satisfaction_scores",
        _counts("band", "reward", "warn"),
        rows="scope_type = 'agent' and month is null",
    ),
    Question(
        "Customers lost, over the months shown: high, mid, general",
        "各月累计流失客户：高、中、一般",
        "service_effect",
        tuple(
            f"coalesce(sum(n_lost) filter (where service_level = '{level}'), 0)"
            for level in ("high", "mid", "general")
        ),
    ),
    Question(
        "Open reservations, in conflict",
        "待处理预约、冲突",
        "reservation_priority",
        ("count(*)", "count(*) filter (where is_conflict)"),
    ),
    Question(
        "Reservations: requested, held, released, cancelled, expired",
        "预约：待受理、锁定、已释放、已取消、已到期",
        "reservation_status",
        _counts("step", "requested", "held", "released", "cancelled", "expired"),
    ),
    Question(
        "Resources, held now",
        "资源、当前锁定",
        "resource_status",
        ("count(*)", "count(held_by)"),
    ),
    Question(
        "Installed assets, in warranty",
        "在装设备、保修内",
        "service_assets",
        ("count(*)", "count(*) filter (where is_in_warranty)"),
    ),
    Question(
        "Models of assets, with faults in 12 months",
        "设备型号、12 个月内有故障",
        "asset_models",
        ("count(*)", "count(*) filter (where n_faults_12m > 0)"),
    ),
    Question(
        "Customers who asked in 12 months, tickets",
        "12 个月内有工单的客户、工单",
        "asking_customers",
        ("count(*)", "sum(n_tickets_12m)"),
    ),
    Question(
        "Sold in service: cross, up, add-on",
        "服务销售：交叉、升级、附加",
        "service_sales",
        _counts("sale_kind", "cross_sell", "up_sell", "add_on"),
    ),
    Question(
        "Service levels called for",
        "所需服务层次",
        "service_maturity",
        ("count(*) filter (where is_called_for)", "count(*)"),
        form="{:,} of {:,}",
    ),
    Question(
        "Tags held: by rule, by hand",
        "标签：规则、人工",
        "customer_tags",
        _counts("source", "passive", "active"),
    ),
    Question(
        "Tags that no dictionary has", "词典未收录标签", "unmapped_tags", ("count(*)",)
    ),
    Question(
        "Benefits held, with a day",
        "客户权益、有日期的",
        "customer_entitlements",
        ("count(*)", "count(due_date)"),
    ),
    Question(
        "Decisions of persons in force",
        "生效中的人工决定",
        "overrides_in_force",
        ("count(*)",),
    ),
)
